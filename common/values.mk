# SPDX-License-Identifier: BSD-2-Clause
# libpostern, protocol values: bytes in, value out; no I/O
libpostern_la_SOURCES += common/stage.c common/stage.h
libpostern_la_SOURCES += \
	common/address.c common/address.h \
	common/auth_mech.c common/auth_mech.h \
	common/cidr.c common/cidr.h \
	common/context.c common/context.h \
	common/context_names.c common/context_names.h \
	common/context_print.c common/context_print.h \
	common/ds_text.c common/ds_text.h \
	common/ehlo.c common/ehlo.h \
	common/endpoint.c common/endpoint.h \
	common/esc.c common/esc.h \
	common/header_value.c common/header_value.h \
	common/login_name.c common/login_name.h \
	common/nexthop.c common/nexthop.h \
	common/reply.c common/reply.h \
	common/xsetcontext.c common/xsetcontext.h \
	common/xtext.c common/xtext.h
libpostern_la_SOURCES += \
	common/classify.c common/classify.h \
	common/classify_rules.c common/classify_rules.h \
	common/classify_table.c common/classify_table.h \
	common/classify_words.c common/classify_words.h
