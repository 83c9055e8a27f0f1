# SPDX-License-Identifier: BSD-2-Clause
# libpostern, set-up: configuration and locks
libpostern_la_SOURCES += \
	common/conf.c common/conf.h common/conf_load.h common/params.h \
	common/conf_auth.c \
	common/conf_check.c common/conf_check.h \
	common/conf_find.c \
	common/conf_holder.c common/conf_holder.h \
	common/conf_hostname.c common/conf_hostname.h \
	common/conf_lex.c common/conf_lex.h \
	common/conf_list.c \
	common/conf_listener.c \
	common/conf_outbound.c \
	common/conf_param.c common/conf_param.h \
	common/conf_print.c \
	common/conf_programs.c \
	common/conf_query.c \
	common/conf_read.c \
	common/conf_reply_class.c \
	common/conf_scope.c \
	common/conf_sections.c \
	common/conf_source.c common/conf_source.h \
	common/conf_suggest.c common/conf_suggest.h \
	common/conf_table.c common/conf_table.h \
	common/conf_tree.c common/conf_tree.h \
	common/conf_upstream.c \
	common/conf_walk.c \
	common/credential_check.c common/credential_check.h \
	common/credential_sender.c
