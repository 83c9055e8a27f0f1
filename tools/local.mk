# SPDX-License-Identifier: BSD-2-Clause
# posternctl
bin_PROGRAMS += tools/posternctl
tools_posternctl_SOURCES = \
	tools/auth.c \
	tools/classify.c tools/classify.h \
	tools/command.h \
	tools/ctl_conf.c \
	tools/mech_client.c tools/mech_client.h \
	tools/outbound.c \
	tools/password.c tools/password.h \
	tools/posternctl.c \
	tools/print.c tools/print.h \
	tools/rcpt.c \
	tools/recipe.c tools/recipe.h tools/recipe_plan.c tools/recipe_print.c \
	tools/recipe_sendmail.c tools/recipe_sendmail.h \
	tools/remote.c
tools_posternctl_CFLAGS = $(AM_CFLAGS) $(LIBSASL_CFLAGS)
tools_posternctl_LDADD = libdaemon.la libpostern.la $(LIBSASL_LIBS)
