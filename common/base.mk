# SPDX-License-Identifier: BSD-2-Clause
# libbase: what everything stands on; libc only

libbase_la_SOURCES += \
	common/clock.c common/clock.h \
	common/errtext.c common/errtext.h \
	common/log.c common/log.h \
	common/number.c common/number.h \
	common/outcome.c common/outcome.h \
	common/secret.c common/secret.h \
	common/strbuf.c common/strbuf.h \
	common/utf8.c common/utf8.h \
	common/wire.c common/wire.h
