# SPDX-License-Identifier: BSD-2-Clause
# libpostern, set-up: configuration and locks

libpostern_la_SOURCES += common/conf.h common/params.h
