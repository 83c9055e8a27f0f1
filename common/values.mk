# SPDX-License-Identifier: BSD-2-Clause
# libpostern, protocol values: bytes in, value out; no I/O
libpostern_la_SOURCES += common/stage.c common/stage.h
