# SPDX-License-Identifier: BSD-2-Clause
# postern-milter
sbin_PROGRAMS += milter/postern-milter
milter_postern_milter_SOURCES = \
	milter/answer.c milter/answer.h \
	milter/auth_results.c milter/auth_results.h \
	milter/commands.c milter/commands.h \
	milter/main.c \
	milter/milter.c milter/milter.h \
	milter/msession.c milter/msession.h \
	milter/tag.c milter/tag.h
milter_postern_milter_LDADD = libdaemon.la libpostern.la $(LIBMILTER_LIBS)
