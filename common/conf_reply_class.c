/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/classify_rules.h"
#include "common/conf_load.h"

/* Each rule on its own first, for the place of a wrong one. */
int
conf_check_reply_class(struct conf_load *l, cfg_t *sec, struct conf_rcptto *r)
{
	const char *const *v = (const char *const *)r->reply_class.v;
	struct classify_rules *one;
	char why[256];
	unsigned int errors = l->s->errors;
	size_t i;

	for (i = 0; i < r->reply_class.n; i++) {
		if (classify_rules_parse(&v[i], 1, &one, why, sizeof(why)))
			classify_rules_free(one);
		else if (conf_tree_count(sec, "reply_class") > 0)
			conf_tell(l->s,
			    conf_item_place(
				l, sec, "reply_class", &r->reply_class, i),
			    "reply_class: %s", why);
		else
			errors++; /* told where it was set */
	}
	if (errors != l->s->errors)
		return 0;
	return classify_rules_parse(
		   v, r->reply_class.n, &r->rules, why, sizeof(why))
	    ? 0
	    : -1;
}

void
conf_free_reply_class(struct conf_rcptto *r)
{
	classify_rules_free(r->rules);
	r->rules = NULL;
}
