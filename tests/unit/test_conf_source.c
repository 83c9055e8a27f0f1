/* SPDX-License-Identifier: BSD-2-Clause */
/* Files on their way in: words and signs, include(), what cannot be read. */
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/conf_source.h"
#include "tests/unit/conf_case.h"

static void
refused(const char *text, const char *said)
{
	struct conf_case k;

	conf_case_text(&k, text);
	if (k.c != NULL || strstr(strbuf_str(&k.said), said) == NULL)
		fail_msg("of\n%s\nwas said\n%s\nwanted\n%s", text,
		    strbuf_str(&k.said), said);
	conf_case_release(&k);
}

static void
taken(const char *text)
{
	struct conf_case k;

	conf_case_text(&k, text);
	if (k.c == NULL)
		fail_msg("of\n%s\nwas said\n%s", text, strbuf_str(&k.said));
	conf_case_release(&k);
}

static void
test_scanner(void **state)
{
	(void)state;
	taken("");
	taken("# only this");
	taken("// only this");
	taken("/* only\nthis **/");
	taken("\xef\xbb\xbfuser = a\r\n# b\r\nmilter\r\n{\r\n}\r\n");
	taken("user=a log_level=info");
	taken("user = 'a'#b\n");
	taken("relay_hosts={}milter{}");
	taken("domain \"b\xc3\xbc"
	      "cher.example\" { }");
	taken("outbound_smtp_auth { outbound_smtp_auth_key = a+b*c;d[e]|f }");
	refused("user = \"a", "t.conf:1: this string is not closed");
	refused("\n\nuser = \"a\n\n\n", "t.conf:3: this string is not closed");
	refused("user = 'a\\'", "t.conf:1: this string is not closed");
	refused("user = \"a\\", "t.conf:1: this string is not closed");
	refused("\n/* a\n\n", "t.conf:2: this comment is not closed");
	refused("/*/", "t.conf:1: this comment is not closed");
	refused("user = a\001", "t.conf:1: a control character stands here");
	refused("user = a\rb", "t.conf:1: a control character stands here");
	refused("user = \"\\0\"", "wrong escape");
	refused("user = \"\\x0\"", "wrong escape");
	refused("user = \"\\x\"", "wrong escape");
	refused("user = \"\\400\"", "wrong escape");
	refused("user = \"\\9\"", "wrong escape");
	refused("user = \"\\1234\"", "wrong escape");
	refused("user = a#b", "t.conf:1: a comment begins inside this word");
	refused("user = a//b", "a comment begins inside this word");
	refused("user = a/*b*/", "a comment begins inside this word");
	refused("user = a\"b\"", "a quote stands inside this word");
	refused("user = \"a\"b", "something stands right behind this string");
	refused("user = \"a\"\"b\"", "something stands right behind");
}

static void
test_grammar(void **state)
{
	(void)state;
	refused(
	    "user", "user: \"=\" or \"{\" expected, not the end of the file");
	refused("user =", "user: a value expected, not the end of the file");
	refused("user = }", "user: a value expected, not \"}\"");
	refused("user = ,", "user: a value expected, not \",\"");
	refused("user a", "user: \"=\" before the value");
	refused("= a", "the name of an option or section expected, not \"=\"");
	refused("user = a b", "b: \"=\" or \"{\" expected");
	refused("user = \"a\" \"secret\"", "expected, not a string");
	refused("relay_hosts = {\"a\" \"b\"}", "\",\" or \"}\" expected");
	refused("relay_hosts = {,}", "a value or \"}\" expected, not \",\"");
	refused("relay_hosts = {\"a\",", "a value or \"}\" expected");
	refused("relay_hosts = {{}}", "a value or \"}\" expected");
	refused("relay_hosts += {}", "relay_hosts: += with nothing to add");
	refused("relay_hosts + {}", "relay_hosts: missing equal sign");
	refused("milter {\n\n", "t.conf:1: milter is not closed with \"}\"");
	refused("}", "t.conf:1: this \"}\" closes nothing");
	refused("milter { } }", "this \"}\" closes nothing");
	refused("domain \"a\nb\" { }", "a control character");
	refused("include", "include: (\"FILE\") expected");
	refused("include(", "include: \"FILE\" expected");
	refused("include(a", "include: \")\" expected");
	refused("include = \"a\"", "include: (\"FILE\") expected");
	refused("a{a{a{a{a{a{a{a{a{", "sections are nested too deeply");
}

static void
test_listener(void **state)
{
	(void)state;
	taken("ESMTP_LISTENER {\n} user = a");
	taken("Esmtp_Listener \"x\" { a = ( [ ) ]]) }\n"
	      "Esmtp_Listener { url = http://x/*y b = it's # }\n}");
	/* What looks like one but stands in a comment or a string is none. */
	taken("# Esmtp_Listener {\nuser = a /* Esmtp_Listener { */\n"
	      "outbound_smtp_auth { outbound_smtp_auth_key = \"Esmtp_Listener "
	      "{\" }");
	refused("Esmtp_Listener {\n a = b\n",
	    "t.conf:1: Esmtp_Listener is not closed");
	refused("Esmtp_Listener", "Esmtp_Listener: \"{\" expected");
	refused("Esmtp_Listener = 3", "Esmtp_Listener: \"{\" expected");
	refused("Esmtp_Listener { a = \"b }", "this string is not closed");
	refused("Esmtp_Listener {\n Listen \":25\" { }\n}\n\nuser = \"a b\"",
	    "t.conf:5: user: ");
	refused("milter { Esmtp_Listener { } }",
	    "unknown section \"Esmtp_Listener\" in milter");
}

static void
test_include(void **state)
{
	static const struct conf_case_file files[] = {
		{ "/e/a.conf",
		    "user = a include(\"d/b.conf\") log_level = info\n"
		    "milter {\n include('/e/d/m.conf')\n\nsokcet = 3 }\n",
		    0, false },
		{ "/e/d/b.conf", "/* b\n */ include(c.conf)\nhostname = b\n", 0,
		    false },
		{ "/e/d/c.conf", "# c\nrelay_hosts = {}", 0, false },
		{ "/e/d/m.conf", "control = \"unix:/c\"", 0, false },
	};
	struct conf_case_file bad[4];
	struct conf_case k;

	(void)state;
	/* The line behind an include is still the includer's own. */
	conf_case_load(&k, files, 4);
	assert_string_equal(strbuf_str(&k.said),
	    "error: /e/a.conf:5: unknown option \"sokcet\" in milter: did you "
	    "mean \"socket\"?\n");
	conf_case_release(&k);

	/* And that in an included file is its own. */
	memcpy(bad, files, sizeof(bad));
	bad[2].text = "# c\n\nrelay_hosts = {\"a\"}";
	bad[0].text = "include(\"d/b.conf\")\n";
	conf_case_load(&k, bad, 4);
	assert_non_null(strstr(
	    strbuf_str(&k.said), "error: /e/d/c.conf:3: relay_hosts: \"a\":"));
	conf_case_release(&k);

	bad[2].text = "# c\n\ninclude(\"../a.conf\")";
	conf_case_load(&k, bad, 4);
	assert_string_equal(strbuf_str(&k.said),
	    "error: /e/d/c.conf:3: include(\"/e/d/../a.conf\"): No such file "
	    "or directory\n");
	conf_case_release(&k);

	bad[2].text = "# c\n\ninclude(\"/e/a.conf\")";
	conf_case_load(&k, bad, 4);
	assert_string_equal(strbuf_str(&k.said),
	    "error: /e/d/c.conf:3: include(\"/e/a.conf\"): this file includes "
	    "itself\n");
	conf_case_release(&k);

	/* Each file keeps its own braces. */
	bad[2].text = "milter {";
	conf_case_load(&k, bad, 4);
	assert_string_equal(strbuf_str(&k.said),
	    "error: /e/d/c.conf:1: milter is not closed with \"}\"\n");
	conf_case_release(&k);
	bad[0].text = "milter { include(\"d/b.conf\") }";
	bad[2].text = "}";
	conf_case_load(&k, bad, 4);
	assert_string_equal(strbuf_str(&k.said),
	    "error: /e/d/c.conf:1: this \"}\" closes nothing\n");
	conf_case_release(&k);

	/* The same option in two files of one section. */
	bad[0].text = "relay_hosts = {}\ninclude(\"d/b.conf\")";
	bad[2].text = "\nrelay_hosts = {}";
	conf_case_load(&k, bad, 4);
	assert_string_equal(strbuf_str(&k.said),
	    "error: /e/d/c.conf:2: relay_hosts is set twice, first at "
	    "/e/a.conf:1\n");
	conf_case_release(&k);
}

/* Ten files deep is fine, eleven is not; and one may be read twice. */
static void
test_include_depth(void **state)
{
	struct conf_case_file files[11];
	char names[11][8];
	char texts[11][24];
	struct conf_case k;
	int i;

	(void)state;
	for (i = 0; i < 11; i++) {
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		snprintf(texts[i], sizeof(texts[i]), "include(f%d)", i + 1);
		files[i] =
		    (struct conf_case_file){ names[i], texts[i], 0, false };
	}
	conf_case_load(&k, files, 11);
	assert_string_equal(strbuf_str(&k.said),
	    "error: f9:1: include(\"f10\"): more than 10 files deep\n");
	conf_case_release(&k);
	texts[9][0] = '#';
	conf_case_load(&k, files, 11);
	assert_non_null(k.c);
	conf_case_release(&k);
	texts[1][0] = '#';
	snprintf(texts[0], sizeof(texts[0]), "include(f1)include(f1)");
	conf_case_load(&k, files, 11);
	assert_non_null(k.c);
	conf_case_release(&k);
}

static void
test_limits(void **state)
{
	struct conf_case_file file = { "t.conf", "user = a\n\0b", 11, false };
	struct conf_case k;
	char *text;
	size_t i;

	(void)state;
	conf_case_load(&k, &file, 1);
	assert_string_equal(strbuf_str(&k.said),
	    "error: t.conf: holds a NUL octet: this is not a text file\n");
	conf_case_release(&k);

	text = malloc(CONF_FILE_MAX + 2);
	assert_non_null(text);
	memset(text, ' ', CONF_FILE_MAX + 1);
	file.text = text;
	file.len = CONF_FILE_MAX + 1;
	conf_case_load(&k, &file, 1);
	assert_string_equal(strbuf_str(&k.said),
	    "error: t.conf: the configuration is longer than 1 MiB\n");
	conf_case_release(&k);
	file.len = CONF_FILE_MAX;
	conf_case_load(&k, &file, 1);
	assert_non_null(k.c);
	conf_case_release(&k);

	/* A value that is too long, by one octet. */
	i = (size_t)snprintf(text, 64, "user = \"");
	memset(text + i, 'a', CONF_VALUE_MAX + 1);
	text[i + CONF_VALUE_MAX + 1] = '"';
	file.len = i + CONF_VALUE_MAX + 2;
	conf_case_load(&k, &file, 1);
	assert_string_equal(strbuf_str(&k.said),
	    "error: t.conf:1: this value is longer than 16384 octets\n");
	conf_case_release(&k);

	/* Errors beyond a page help nobody. */
	file.len = 0;
	text[0] = '\0';
	for (i = 0; i < 200; i++)
		snprintf(text + strlen(text), 32, "tag \"a%zu\" { }\n", i);
	conf_case_load(&k, &file, 1);
	assert_null(k.c);
	assert_int_equal(k.errors, CONF_ERRORS_MAX);
	conf_case_release(&k);

	/* Sections without number. */
	text[0] = '\0';
	for (i = 0; i <= CONF_SECTIONS_MAX; i++)
		memcpy(text + i * 9, "milter{ }\n", 11);
	conf_case_load(&k, &file, 1);
	assert_non_null(
	    strstr(strbuf_str(&k.said), "more than 10000 sections"));
	conf_case_release(&k);
	free(text);
}

/* Who may read a password. */
static void
test_world_readable(void **state)
{
	static struct conf_case_file files[] = {
		{ "/a", "include(\"b\")", 0, true },
		{ "/b",
		    "domain \"a.b\" {\n outbound_smtp_auth_user = u\n"
		    " outbound_smtp_auth_pass = hunter2 }\n"
		    "domain \"b.b\" { outbound_smtp_auth_user = u\n"
		    " outbound_smtp_auth_pass = hunter2 }\n",
		    0, false },
	};
	struct conf_case k;

	(void)state;
	conf_case_load(&k, files, 2);
	assert_non_null(k.c);
	assert_string_equal(strbuf_str(&k.said), "");
	conf_case_release(&k);
	files[1].world_readable = true;
	conf_case_load(&k, files, 2);
	assert_non_null(k.c);
	assert_string_equal(strbuf_str(&k.said),
	    "warning: /b:3: outbound_smtp_auth_pass: everybody on this machine "
	    "can read this file (chmod o-r)\n");
	conf_case_release(&k);
}

/* Of a context, too; `false' is none. */
static void
test_world_readable_peer(void **state)
{
	static const struct {
		const char *item;
		const char *told; /* of which; NULL: nothing */
	} cases[] = {
		{ "outbound_smtp_auth_pass=hunter2",
		    "outbound_smtp_auth_pass" },
		{ "db.secret=x", "db.secret" },
		{ "outbound_smtp_auth_pass=", NULL },
		{ "outbound_smtp_auth_pass=false", NULL },
		{ "outbound_smtp_auth_user=ann", NULL },
		{ "__bypass=x", NULL },
	};

	char text[200], want[200];
	struct conf_case k;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf_case_file file = { "/a", text, 0, true };

		snprintf(text, sizeof(text),
		    "peer \"192.0.2.1\" {\n context = {\"a=b\",\n \"%s\"} }",
		    cases[i].item);
		conf_case_load(&k, &file, 1);
		assert_non_null(k.c);
		snprintf(want, sizeof(want),
		    "warning: /a:3: %s: everybody on this machine can read "
		    "this file (chmod o-r)\n",
		    cases[i].told != NULL ? cases[i].told : "");
		assert_string_equal(
		    strbuf_str(&k.said), cases[i].told != NULL ? want : "");
		conf_case_release(&k);
		file.world_readable = false;
		conf_case_load(&k, &file, 1);
		assert_string_equal(strbuf_str(&k.said), "");
		conf_case_release(&k);
	}
}

static void
load_path(struct conf_case *k, const char *path)
{
	memset(k, 0, sizeof(*k));
	strbuf_init(&k->said, 65536);
	(void)conf_load(path, conf_case_say, k, &k->c);
}

static void
put(const char *path, const char *text, mode_t mode)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
	assert_int_equal(chmod(path, mode), 0);
}

static void
test_real_files(void **state)
{
	char dir[] = "/tmp/test_conf.XXXXXX";
	char path[64], other[64];
	struct conf_case k;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/p.conf", dir);
	snprintf(other, sizeof(other), "%s/q.conf", dir);
	load_path(&k, path);
	assert_null(k.c);
	assert_non_null(
	    strstr(strbuf_str(&k.said), "p.conf: No such file or directory"));
	conf_case_release(&k);
	load_path(&k, dir);
	assert_null(k.c);
	assert_non_null(strstr(strbuf_str(&k.said), "not a regular file"));
	conf_case_release(&k);
	assert_int_equal(mkfifo(path, 0600), 0);
	load_path(&k, path); /* and does not wait for a writer */
	assert_null(k.c);
	assert_non_null(strstr(strbuf_str(&k.said), "not a regular file"));
	conf_case_release(&k);
	assert_int_equal(unlink(path), 0);

	put(path, "include(\"q.conf\")\n", 0644);
	put(other,
	    "outbound_smtp_auth { outbound_smtp_auth_user = u\n"
	    "outbound_smtp_auth_pass = p nexthops = r }\n",
	    0600);
	load_path(&k, path);
	assert_non_null(k.c);
	assert_string_equal(strbuf_str(&k.said), "");
	conf_case_release(&k);
	assert_int_equal(chmod(other, 0644), 0);
	load_path(&k, path);
	assert_non_null(k.c);
	assert_non_null(strstr(strbuf_str(&k.said), "q.conf:2: outbound_smtp"));
	conf_case_release(&k);

	/* A file that includes itself by another name. */
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink("p.conf", other), 0);
	load_path(&k, path);
	assert_null(k.c);
	assert_non_null(strstr(strbuf_str(&k.said), "includes itself"));
	conf_case_release(&k);
	unlink(other);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scanner),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_include_depth),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_world_readable),
		cmocka_unit_test(test_world_readable_peer),
		cmocka_unit_test(test_real_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
