# SPDX-License-Identifier: BSD-2-Clause
#
# Flags are probed one by one, because gcc and clang accept different sets,
# with -Werror, because clang only warns about a flag it does not know.
#
# In a caller's m4_foreach the loop variable must be quoted when it is
# handed on, or a flag such as -Wl,-z,relro falls apart at its commas and
# vanishes; and its name must be a long one, or m4 rewrites every "f".
# Results are not cached: the name of the cache variable would be made from
# the loop variable's name, the same for every flag.

# POSTERN_TRY_FLAG(VARIABLE, FLAG)
# Append FLAG to VARIABLE when the compiler takes it.
AC_DEFUN([POSTERN_TRY_FLAG],
[AC_MSG_CHECKING([whether $CC accepts $2])
postern_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS -Werror $2"
AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#include <stdio.h>
int main(void) { return puts("") < 0; }
]])],
	[AC_MSG_RESULT([yes])
	AS_VAR_APPEND([$1], [" $2"])],
	[AC_MSG_RESULT([no])])
CFLAGS=$postern_saved_CFLAGS])

# POSTERN_TRY_LDFLAG(VARIABLE, FLAG)
# Append FLAG to VARIABLE when a program can be linked with it.
AC_DEFUN([POSTERN_TRY_LDFLAG],
[AC_MSG_CHECKING([whether $CC links with $2])
postern_saved_LDFLAGS=$LDFLAGS
LDFLAGS="$LDFLAGS -Werror $2"
AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <stdio.h>
int main(void) { return puts("") < 0; }
]])],
	[AC_MSG_RESULT([yes])
	AS_VAR_APPEND([$1], [" $2"])],
	[AC_MSG_RESULT([no])])
LDFLAGS=$postern_saved_LDFLAGS])
