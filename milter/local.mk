# SPDX-License-Identifier: BSD-2-Clause
# postern-milter
sbin_PROGRAMS += milter/postern-milter
milter_postern_milter_SOURCES = \
	milter/answer.c milter/answer.h \
	milter/auth_results.c milter/auth_results.h \
	milter/carry.c milter/carry.h \
	milter/commands.c milter/commands.h \
	milter/context_log.c milter/context_log.h \
	milter/front_commands.c milter/front_commands.h \
	milter/front_context.c milter/front_tie.c \
	milter/fronts.c milter/fronts.h milter/fronts_state.h \
	milter/main.c \
	milter/milter.c milter/milter.h \
	milter/msession.c milter/msession.h \
	milter/negotiate.c milter/negotiate.h \
	milter/tag.c milter/tag.h \
	milter/variables.c milter/variables.h
milter_postern_milter_LDADD = libdaemon.la libpostern.la $(LIBMILTER_LIBS)
