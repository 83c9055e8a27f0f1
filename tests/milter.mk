# SPDX-License-Identifier: BSD-2-Clause
# the milter, driven by miltertest, and posternctl

TESTS += tests/milter/run.py tests/milter/test_carry.py \
	tests/ctl/test_auth.py \
	tests/ctl/test_daemon.py tests/ctl/test_front.py \
	tests/ctl/test_outbound.py tests/ctl/test_rcpt.py \
	tests/ctl/test_recipe.py
EXTRA_DIST += tests/milter/run.py tests/milter/test_carry.py \
	tests/milter/rig.py tests/milter/mta.py \
	tests/ctl/relayed.py tests/ctl/test_auth.py \
	tests/ctl/test_daemon.py tests/ctl/test_front.py \
	tests/ctl/test_outbound.py tests/ctl/test_rcpt.py \
	tests/ctl/test_recipe.py \
	$(milter_lua)
milter_lua = \
	tests/milter/abort.lua \
	tests/milter/accept.lua \
	tests/milter/addresses.lua \
	tests/milter/authenticated.lua \
	tests/milter/authenticated_asked.lua \
	tests/milter/bypass.lua \
	tests/milter/defer.lua \
	tests/milter/down.lua \
	tests/milter/down_accept.lua \
	tests/milter/failover.lua \
	tests/milter/hang_mail.lua \
	tests/milter/lib.lua \
	tests/milter/loop.lua \
	tests/milter/negotiate.lua \
	tests/milter/negotiate_old.lua \
	tests/milter/no_route.lua \
	tests/milter/observe.lua \
	tests/milter/refused_at_mail.lua \
	tests/milter/reject.lua \
	tests/milter/relay_hosts.lua \
	tests/milter/reveal.lua \
	tests/milter/sender_original.lua \
	tests/milter/senders.lua \
	tests/milter/several.lua \
	tests/milter/smtputf8.lua \
	tests/milter/smtputf8_not.lua \
	tests/milter/tags.lua \
	tests/milter/tags_binding.lua \
	tests/milter/tags_refused.lua \
	tests/milter/tags_results.lua \
	tests/milter/timeout.lua

# Does the verifier grow over 200,000 probes? Takes a minute or two: run by
# `make soak', not by `make check'.
check_PROGRAMS += tests/soak
tests_soak_SOURCES = tests/soak.c \
	tests/unit/mini_upstream.c tests/unit/mini_upstream.h
tests_soak_LDADD = libpostern.la

.PHONY: soak
soak: tests/soak
	@$(AM_TESTS_ENVIRONMENT) tests/soak
