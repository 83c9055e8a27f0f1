# SPDX-License-Identifier: BSD-2-Clause
# libpostern, protocol values: bytes in, value out; no I/O
libpostern_la_SOURCES += common/stage.c common/stage.h
libpostern_la_SOURCES += \
	common/address.h \
	common/cidr.h \
	common/context.h \
	common/ehlo.h \
	common/endpoint.h \
	common/esc.h \
	common/reply.h \
	common/xtext.h
