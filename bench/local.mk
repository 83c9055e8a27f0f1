# SPDX-License-Identifier: BSD-2-Clause
# benchmarks; built by hand, never part of make check

noinst_PROGRAMS += bench/bench_cache
bench_bench_cache_SOURCES = bench/bench_cache.c
bench_bench_cache_LDADD = libpostern.la
