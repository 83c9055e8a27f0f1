# SPDX-License-Identifier: BSD-2-Clause
# libbase: what everything stands on; libc only

libbase_la_SOURCES += \
	common/outcome.h
