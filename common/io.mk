# SPDX-License-Identifier: BSD-2-Clause
# libpostern, I/O: dialling, TLS, sessions, data sources

libpostern_la_SOURCES += \
	common/siphash.c common/siphash.h \
	common/table.c common/table.h
