# SPDX-License-Identifier: BSD-2-Clause
# benchmarks: built with the rest, run by hand

noinst_PROGRAMS += bench/bench_cache
bench_bench_cache_SOURCES = bench/bench_cache.c
bench_bench_cache_LDADD = libpostern.la

noinst_PROGRAMS += bench/bench_login
bench_bench_login_SOURCES = bench/bench_login.c
bench_bench_login_LDADD = libpostern.la

noinst_PROGRAMS += bench/bench_logins
bench_bench_logins_SOURCES = bench/logins.c bench/login.c bench/login.h \
	bench/net.c bench/net.h
bench_bench_logins_LDADD = libbase.la $(OPENSSL_LIBS)

# The rest links nothing of Postern.
noinst_PROGRAMS += bench/bench_upstream bench/bench_client \
	bench/bench_noop_milter bench/bench_idle bench/bench_saslauthd \
	bench/bench_lookups bench/bench_socketmap bench/bench_syslog
bench_bench_upstream_SOURCES = bench/upstream.c \
	bench/upstream_reply.c bench/upstream_reply.h \
	bench/heap.c bench/heap.h bench/login.c bench/login.h \
	bench/net.c bench/net.h
bench_bench_upstream_LDADD = $(OPENSSL_LIBS)
bench_bench_client_SOURCES = bench/client.c \
	bench/client_tls.c bench/client_tls.h bench/login.c bench/login.h \
	bench/net.c bench/net.h bench/samples.c bench/samples.h
bench_bench_client_LDADD = $(OPENSSL_LIBS)
bench_bench_lookups_SOURCES = bench/lookups.c bench/net.c bench/net.h \
	bench/samples.c bench/samples.h
bench_bench_lookups_LDADD =
bench_bench_socketmap_SOURCES = bench/socketmap.c bench/net.c bench/net.h
bench_bench_socketmap_LDADD =
bench_bench_syslog_SOURCES = bench/syslog.c
bench_bench_syslog_LDADD =
bench_bench_noop_milter_SOURCES = bench/noop_milter.c bench/net.c bench/net.h
bench_bench_noop_milter_LDADD = $(LIBMILTER_LIBS)
bench_bench_idle_SOURCES = bench/idle.c bench/net.c bench/net.h
bench_bench_idle_LDADD =
bench_bench_saslauthd_SOURCES = bench/saslauthd.c bench/net.c bench/net.h
bench_bench_saslauthd_LDADD =

EXTRA_DIST += bench/README.md bench/front bench/run \
	bench/measure.py bench/rig.py \
	bench/rig_auth.py bench/rig_outbound.py bench/rig_rcpt.py \
	bench/scenarios_auth.py bench/scenarios_outbound.py \
	bench/scenarios_rcpt.py
