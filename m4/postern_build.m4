# SPDX-License-Identifier: BSD-2-Clause
#
# How the code is compiled: warnings, hardening, sanitizers, fuzzing,
# coverage. Each macro leaves its flags in variables of its own, which
# Makefile.am gathers into AM_CFLAGS and AM_LDFLAGS; the user's CFLAGS and
# LDFLAGS are never touched.

# POSTERN_WARNINGS: WARN_CFLAGS, and --enable-werror
AC_DEFUN([POSTERN_WARNINGS],
[AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror],
		[treat warnings as errors (for developers; off by default)])],
	[], [enable_werror=no])
WARN_CFLAGS=
m4_foreach([postern_flag],
	[[-Wall], [-Wextra], [-Wpedantic], [-Wshadow], [-Wpointer-arith],
	[-Wcast-qual], [-Wwrite-strings], [-Wstrict-prototypes],
	[-Wold-style-definition], [-Wmissing-prototypes],
	[-Wmissing-declarations], [-Wredundant-decls], [-Wundef], [-Wvla],
	[-Wformat=2], [-Wimplicit-fallthrough], [-Wswitch-enum],
	[-Wnull-dereference], [-Wconversion], [-Wsign-conversion],
	[-Wdate-time],
	[-Wformat-signedness], [-Wformat-overflow=2],
	[-Wformat-truncation=2], [-Wduplicated-cond],
	[-Wduplicated-branches], [-Wlogical-op], [-Wjump-misses-init],
	[-Wbidi-chars=any],
	[-Wcomma], [-Wassign-enum], [-Wunreachable-code],
	[-Wthread-safety]],
	[POSTERN_TRY_FLAG([WARN_CFLAGS], [postern_flag])
])
AS_IF([test "$enable_werror" = yes],
	[AS_VAR_APPEND([WARN_CFLAGS], [" -Werror"])])
AC_SUBST([WARN_CFLAGS])])

# POSTERN_SANITIZERS: SAN_CFLAGS, SAN_LDFLAGS, from --with-sanitizers=LIST
AC_DEFUN([POSTERN_SANITIZERS],
[AC_ARG_WITH([sanitizers],
	[AS_HELP_STRING([--with-sanitizers=LIST],
		[build with -fsanitize=LIST, for example address,undefined])],
	[], [with_sanitizers=no])
SAN_CFLAGS=
SAN_LDFLAGS=
AS_CASE([$with_sanitizers],
	[no], [],
	[yes|''], [AC_MSG_ERROR([--with-sanitizers needs a list, such as address,undefined])],
	[SAN_LDFLAGS="-fsanitize=$with_sanitizers"
	SAN_CFLAGS="$SAN_LDFLAGS -fno-omit-frame-pointer -fno-sanitize-recover=all"
	AC_MSG_CHECKING([whether $CC can build with $SAN_LDFLAGS])
	postern_saved_CFLAGS=$CFLAGS
	postern_saved_LDFLAGS=$LDFLAGS
	CFLAGS="$CFLAGS $SAN_CFLAGS"
	LDFLAGS="$LDFLAGS $SAN_LDFLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([$CC cannot build with --with-sanitizers=$with_sanitizers])])
	CFLAGS=$postern_saved_CFLAGS
	LDFLAGS=$postern_saved_LDFLAGS
	dnl what gcc infers from the flow of instrumented code is often wrong
	m4_foreach([postern_flag],
		[[-Wno-format-truncation], [-Wno-format-overflow],
		[-Wno-null-dereference], [-Wno-maybe-uninitialized],
		[-Wno-stringop-truncation]],
		[POSTERN_TRY_FLAG([SAN_CFLAGS], [postern_flag])
])])
AC_SUBST([SAN_CFLAGS])
AC_SUBST([SAN_LDFLAGS])])

# POSTERN_FUZZING: FUZZ_CFLAGS for all code, FUZZ_LDFLAGS for the targets
AC_DEFUN([POSTERN_FUZZING],
[AC_ARG_ENABLE([fuzzing],
	[AS_HELP_STRING([--enable-fuzzing],
		[link the fuzz targets with libFuzzer (clang); without it
		they replay the corpus in make check])],
	[], [enable_fuzzing=no])
FUZZ_CFLAGS=
FUZZ_LDFLAGS=
AS_IF([test "$enable_fuzzing" = yes],
	[AC_MSG_CHECKING([whether $CC has libFuzzer])
	postern_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -fsanitize=fuzzer"
	AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) { return p == NULL && n > 0; }
]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([--enable-fuzzing needs clang with libFuzzer (CC=clang)])])
	CFLAGS=$postern_saved_CFLAGS
	FUZZ_CFLAGS=-fsanitize=fuzzer-no-link
	FUZZ_LDFLAGS=-fsanitize=fuzzer])
AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
AC_SUBST([FUZZ_CFLAGS])
AC_SUBST([FUZZ_LDFLAGS])])

# POSTERN_COVERAGE: COV_CFLAGS, COV_LDFLAGS, and which tool reports
AC_DEFUN([POSTERN_COVERAGE],
[AC_ARG_ENABLE([coverage],
	[AS_HELP_STRING([--enable-coverage],
		[instrument the code; make coverage then prints a report])],
	[], [enable_coverage=no])
COV_CFLAGS=
COV_LDFLAGS=
postern_coverage=no
AS_IF([test "$enable_coverage" = yes],
	[AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#ifndef __clang__
#error not clang
#endif
]])], [postern_coverage=llvm], [postern_coverage=gcov])])
AS_CASE([$postern_coverage],
	[llvm],
		[COV_CFLAGS='-fprofile-instr-generate -fcoverage-mapping'
		COV_LDFLAGS=-fprofile-instr-generate],
	[gcov],
		[COV_CFLAGS='--coverage -fprofile-update=atomic'
		COV_LDFLAGS=--coverage])
AC_SUBST([COV_CFLAGS])
AC_SUBST([COV_LDFLAGS])
AC_SUBST([postern_coverage])])

# POSTERN_HARDENING: HARDEN_CPPFLAGS, HARDEN_CFLAGS, HARDEN_LDFLAGS for
# everything, PIE_CFLAGS and PIE_LDFLAGS for programs; on unless
# --disable-hardening. Runs after the macros above: the sanitizers replace
# what _FORTIFY_SOURCE checks and do not work together with it.
AC_DEFUN([POSTERN_HARDENING],
[AC_ARG_ENABLE([hardening],
	[AS_HELP_STRING([--disable-hardening],
		[leave out the hardening flags (coverage, debugging)])],
	[], [enable_hardening=yes])
HARDEN_CPPFLAGS=
HARDEN_CFLAGS=
HARDEN_LDFLAGS=
PIE_CFLAGS=
PIE_LDFLAGS=
AS_IF([test "$enable_hardening" = yes],
	[m4_foreach([postern_flag],
		[[-fstack-protector-strong], [-fstack-clash-protection],
		[-fcf-protection=full], [-fno-delete-null-pointer-checks],
		[-fno-strict-overflow], [-fvisibility=hidden],
		[-ftrivial-auto-var-init=zero]],
		[POSTERN_TRY_FLAG([HARDEN_CFLAGS], [postern_flag])
])
	m4_foreach([postern_flag],
		[[-Wl,-z,relro], [-Wl,-z,now], [-Wl,-z,noexecstack],
		[-Wl,-z,separate-code], [-Wl,--as-needed]],
		[POSTERN_TRY_LDFLAG([HARDEN_LDFLAGS], [postern_flag])
])
	POSTERN_TRY_FLAG([PIE_CFLAGS], [-fPIE])
	POSTERN_TRY_LDFLAG([PIE_LDFLAGS], [-pie])
	AS_IF([test "$with_sanitizers" = no],
		[dnl glibc warns about it when nothing is optimised, -O0
		POSTERN_TRY_FLAG([HARDEN_CPPFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3])
		AS_IF([test -z "$HARDEN_CPPFLAGS"],
			[POSTERN_TRY_FLAG([HARDEN_CPPFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2])])])])
AM_CONDITIONAL([HARDENING], [test "$enable_hardening" = yes])
AM_CONDITIONAL([FORTIFY], [test -n "$HARDEN_CPPFLAGS"])
AC_SUBST([HARDEN_CPPFLAGS])
AC_SUBST([HARDEN_CFLAGS])
AC_SUBST([HARDEN_LDFLAGS])
AC_SUBST([PIE_CFLAGS])
AC_SUBST([PIE_LDFLAGS])])
