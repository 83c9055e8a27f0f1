/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recipe_sendmail - the lines for sendmail.mc
 *
 * What they do is in dist/sendmail-outbound.m4, which they include.
 */
#ifndef POSTERN_TOOLS_RECIPE_SENDMAIL_H
#define POSTERN_TOOLS_RECIPE_SENDMAIL_H

#include <stdio.h>

#include "tools/recipe.h"

void recipe_print_sendmail(const struct recipe_plan *p, FILE *out);

#endif /* POSTERN_TOOLS_RECIPE_SENDMAIL_H */
