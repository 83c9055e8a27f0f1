# SPDX-License-Identifier: BSD-2-Clause
#
# What has no pkg-config file, or is optional.

# POSTERN_UTHASH: a header and nothing else
AC_DEFUN([POSTERN_UTHASH],
[AC_CHECK_HEADER([uthash.h], [],
	[AC_MSG_ERROR([uthash.h is missing (Debian: uthash-dev)])])])

# POSTERN_LIBMILTER: LIBMILTER_LIBS, for postern-milter alone
AC_DEFUN([POSTERN_LIBMILTER],
[AC_CHECK_HEADER([libmilter/mfapi.h], [],
	[AC_MSG_ERROR([libmilter/mfapi.h is missing (Debian: libmilter-dev)])])
LIBMILTER_LIBS=
AC_CHECK_LIB([milter], [smfi_main], [LIBMILTER_LIBS=-lmilter],
	[AC_MSG_ERROR([libmilter is missing (Debian: libmilter-dev)])],
	[-pthread])
AC_SUBST([LIBMILTER_LIBS])])

# POSTERN_SYSTEMD: HAVE_SYSTEMD for sd_notify, and where units go.
# The default directory stays below the prefix, so that an unprivileged
# install works; packagers give the real one.
AC_DEFUN([POSTERN_SYSTEMD],
[AC_ARG_WITH([systemd],
	[AS_HELP_STRING([--with-systemd],
		[tell systemd when the daemons are ready (auto)])],
	[], [with_systemd=auto])
have_systemd=no
AS_IF([test "$with_systemd" != no],
	[PKG_CHECK_MODULES([SYSTEMD], [libsystemd], [have_systemd=yes],
		[AS_IF([test "$with_systemd" = yes],
			[AC_MSG_ERROR([--with-systemd: libsystemd is missing (Debian: libsystemd-dev)])])])])
AS_IF([test "$have_systemd" = yes],
	[AC_DEFINE([HAVE_SYSTEMD], [1], [Define to 1 when libsystemd is there.])])
AM_CONDITIONAL([HAVE_SYSTEMD], [test "$have_systemd" = yes])
AC_ARG_WITH([systemdsystemunitdir],
	[AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
		[where units are installed (PREFIX/lib/systemd/system)])],
	[], [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])])

# POSTERN_SASL: headers for the plug-in, which links nothing of libsasl; the
# library for posternctl and the tests; and where plug-ins are installed
AC_DEFUN([POSTERN_SASL],
[PKG_CHECK_MODULES([LIBSASL], [libsasl2 >= 2.1.26], [],
	[AC_MSG_ERROR([libsasl2 is missing (Debian: libsasl2-dev)])])
PKG_CHECK_VAR([sasl_libdir], [libsasl2], [libdir], [], [sasl_libdir='${libdir}'])
AC_ARG_WITH([sasl-plugindir],
	[AS_HELP_STRING([--with-sasl-plugindir=DIR],
		[where libpostern.so is installed (sasl2 beside libsasl2)])],
	[], [with_sasl_plugindir="$sasl_libdir/sasl2"])
AS_CASE([$with_sasl_plugindir],
	[yes | no], [AC_MSG_ERROR([--with-sasl-plugindir: a directory is expected])])
AC_SUBST([sasl_plugindir], [$with_sasl_plugindir])
AC_SUBST([sasl_stockdir], ["$sasl_libdir/sasl2"])])
