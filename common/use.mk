# SPDX-License-Identifier: BSD-2-Clause
# libpostern, use cases: routes, caches, probes, verification

libpostern_la_SOURCES += \
	common/answer.h \
	common/cache.c common/cache.h \
	common/cache_gist.c common/cache_gist.h \
	common/route.c common/route.h \
	common/route_build.c common/route_build.h \
	common/router.c common/router.h \
	common/setup.c common/setup.h \
	common/verdict.c common/verdict.h
libpostern_la_SOURCES += common/breaker.c common/breaker.h
libpostern_la_SOURCES += \
	common/engine.c common/engine.h \
	common/line.c common/line_reply.c \
	common/opener.c \
	common/probe.c common/probe.h \
	common/target.c common/target_grow.c
libpostern_la_SOURCES += \
	common/catchall.c common/catchall.h \
	common/verifier.c \
	common/verify.c common/verify.h \
	common/verify_explain.c common/verify_inquiry.h
libpostern_la_SOURCES += common/auth_verdict.c common/auth_verdict.h
libpostern_la_SOURCES += \
	common/account_tag.c common/account_tag.h \
	common/auth_memory.c common/auth_memory.h \
	common/pair_hash.c common/pair_hash.h \
	common/shield.c common/shield.h \
	common/tally.c common/tally.h
libpostern_la_SOURCES += \
	common/auth.c common/auth.h common/auth_attempt.h \
	common/auth_ask.c common/auth_attempt.c \
	common/auth_check.c \
	common/auth_client.c common/auth_client.h \
	common/auth_log.c common/auth_quick.c common/auth_relay.c \
	common/auth_report.c
libpostern_la_SOURCES += \
	common/pool.c common/pool.h common/pool_state.h \
	common/pool_begin.c \
	common/pool_crew.c common/pool_janitor.c \
	common/pool_place.c common/pool_reset.c common/pool_target.c
libpostern_la_SOURCES += \
	common/credential.c common/credential.h \
	common/credential_index.c common/credential_index.h
libpostern_la_SOURCES += \
	common/outbound.c common/outbound.h common/outbound_state.h \
	common/outbound_log.c \
	common/outbound_markers.c common/outbound_markers.h \
	common/outbound_messages.c common/outbound_messages.h \
	common/outbound_put.c \
	common/outbound_query.c \
	common/outbound_report.c \
	common/outbound_setup.c
