# SPDX-License-Identifier: BSD-2-Clause
# Unit tests. A new one is one line: UNIT_TESTS += tests/unit/test_NAME
# Its source is tests/unit/test_NAME.c; it links libpostern and cmocka.

UNIT_TESTS =
UNIT_TESTS += tests/unit/test_outcome
UNIT_TESTS += tests/unit/test_address
UNIT_TESTS += tests/unit/test_auth_mech tests/unit/test_auth_verdict
UNIT_TESTS += tests/unit/test_cidr
UNIT_TESTS += tests/unit/test_clock
UNIT_TESTS += tests/unit/test_context tests/unit/test_context_names \
	tests/unit/test_context_print
tests_unit_test_context_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
UNIT_TESTS += tests/unit/test_ehlo
UNIT_TESTS += tests/unit/test_endpoint
UNIT_TESTS += tests/unit/test_esc
UNIT_TESTS += tests/unit/test_log tests/unit/test_log_forgery
UNIT_TESTS += tests/unit/test_login_name
UNIT_TESTS += tests/unit/test_nexthop
UNIT_TESTS += tests/unit/test_number
UNIT_TESTS += tests/unit/test_reply
UNIT_TESTS += tests/unit/test_secret
UNIT_TESTS += tests/unit/test_strbuf
UNIT_TESTS += tests/unit/test_utf8
UNIT_TESTS += tests/unit/test_wire
UNIT_TESTS += tests/unit/test_xsetcontext tests/unit/test_xtext
UNIT_TESTS += tests/unit/test_table tests/unit/test_cache
UNIT_TESTS += tests/unit/test_classify
tests_unit_test_classify_SOURCES = tests/unit/test_classify.c \
	tools/classify.c tools/classify.h
UNIT_TESTS += tests/unit/test_classify_rules tests/unit/test_classify_words
UNIT_TESTS += tests/unit/test_conf tests/unit/test_conf_parts \
	tests/unit/test_conf_refuse tests/unit/test_conf_source
conf_case = tests/unit/conf_case.c tests/unit/conf_case.h
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c $(conf_case)
UNIT_TESTS += tests/unit/test_conf_outbound
tests_unit_test_conf_outbound_SOURCES = tests/unit/test_conf_outbound.c \
	$(conf_case)
UNIT_TESTS += tests/unit/test_conf_memory
tests_unit_test_conf_memory_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=reallocarray,--wrap=strdup,--wrap=strndup
tests_unit_test_conf_parts_SOURCES = tests/unit/test_conf_parts.c $(conf_case)
tests_unit_test_conf_refuse_SOURCES = tests/unit/test_conf_refuse.c \
	$(conf_case)
tests_unit_test_conf_source_SOURCES = tests/unit/test_conf_source.c \
	$(conf_case)
UNIT_TESTS += tests/unit/test_credential
tests_unit_test_credential_SOURCES = tests/unit/test_credential.c $(conf_case)
outbound_case = tests/unit/outbound_case.c tests/unit/outbound_case.h \
	$(conf_case)
UNIT_TESTS += tests/unit/test_outbound
tests_unit_test_outbound_SOURCES = tests/unit/test_outbound.c $(outbound_case)
UNIT_TESTS += tests/unit/test_outbound_messages
tests_unit_test_outbound_messages_SOURCES = \
	tests/unit/test_outbound_messages.c $(outbound_case)
UNIT_TESTS += tests/unit/test_ds_text tests/unit/test_ds_lines
UNIT_TESTS += tests/unit/test_datasource tests/unit/test_ds_sqlite
UNIT_TESTS += tests/unit/test_ds_file
UNIT_TESTS += tests/unit/test_route tests/unit/test_route_rows
route_fixture = tests/unit/route_fixture.c tests/unit/route_fixture.h \
	$(conf_case)
tests_unit_test_route_SOURCES = tests/unit/test_route.c $(route_fixture)
tests_unit_test_route_LDADD = $(LDADD) $(SQLITE_LIBS)
UNIT_TESTS += tests/unit/test_route_auth
tests_unit_test_route_auth_SOURCES = tests/unit/test_route_auth.c \
	$(route_fixture)
tests_unit_test_route_auth_LDADD = $(LDADD) $(SQLITE_LIBS)
tests_unit_test_route_rows_SOURCES = tests/unit/test_route_rows.c \
	$(route_fixture)
tests_unit_test_route_rows_LDADD = $(LDADD) $(SQLITE_LIBS)
ds_fixture = tests/unit/ds_fixture.c tests/unit/ds_fixture.h
ds_ldadd = $(LDADD) $(SQLITE_LIBS)
ds_ldflags = $(AM_LDFLAGS) -Wl,--wrap=clock_ms
tests_unit_test_datasource_SOURCES = tests/unit/test_datasource.c $(ds_fixture)
tests_unit_test_datasource_LDADD = $(ds_ldadd)
tests_unit_test_datasource_LDFLAGS = $(ds_ldflags)
tests_unit_test_ds_sqlite_SOURCES = tests/unit/test_ds_sqlite.c $(ds_fixture)
tests_unit_test_ds_sqlite_LDADD = $(ds_ldadd)
tests_unit_test_ds_sqlite_LDFLAGS = $(ds_ldflags)
tests_unit_test_ds_file_SOURCES = tests/unit/test_ds_file.c $(ds_fixture)
tests_unit_test_ds_file_LDADD = $(ds_ldadd)
tests_unit_test_ds_file_LDFLAGS = $(ds_ldflags)
UNIT_TESTS += tests/unit/test_outbound_query
tests_unit_test_outbound_query_SOURCES = tests/unit/test_outbound_query.c \
	$(ds_fixture) $(outbound_case)
tests_unit_test_outbound_query_LDADD = $(ds_ldadd)
tests_unit_test_outbound_query_LDFLAGS = $(ds_ldflags)
UNIT_TESTS += tests/unit/test_outbound_stress
tests_unit_test_outbound_stress_SOURCES = tests/unit/test_outbound_stress.c \
	$(ds_fixture) $(outbound_case)
tests_unit_test_outbound_stress_LDADD = $(ds_ldadd)
tests_unit_test_outbound_stress_LDFLAGS = $(ds_ldflags)

UNIT_TESTS += tests/unit/test_breaker
UNIT_TESTS += tests/unit/test_verify tests/unit/test_verify_faults \
	tests/unit/test_verify_clients
load_conf = tests/unit/load_conf.c tests/unit/load_conf.h
verify_rig = tests/unit/verify_rig.c tests/unit/verify_rig.h $(load_conf) \
	tests/unit/mini_upstream.c tests/unit/mini_upstream.h
tests_unit_test_verify_SOURCES = tests/unit/test_verify.c $(verify_rig)
tests_unit_test_verify_clients_SOURCES = tests/unit/test_verify_clients.c \
	$(verify_rig)
tests_unit_test_verify_faults_SOURCES = tests/unit/test_verify_faults.c \
	$(verify_rig)
UNIT_TESTS += tests/unit/test_verify_relay
tests_unit_test_verify_relay_SOURCES = tests/unit/test_verify_relay.c \
	$(verify_rig) $(conf_case)

UNIT_TESTS += tests/unit/test_catchall
UNIT_TESTS += tests/unit/test_answer tests/unit/test_msession
tests_unit_test_answer_SOURCES = tests/unit/test_answer.c \
	milter/answer.c milter/answer.h
tests_unit_test_msession_SOURCES = tests/unit/test_msession.c \
	milter/msession.c milter/msession.h $(conf_case)
UNIT_TESTS += tests/unit/test_auth_results tests/unit/test_tag
tests_unit_test_auth_results_SOURCES = tests/unit/test_auth_results.c \
	milter/auth_results.c milter/auth_results.h
tests_unit_test_tag_SOURCES = tests/unit/test_tag.c \
	milter/auth_results.c milter/auth_results.h \
	milter/tag.c milter/tag.h $(conf_case)
UNIT_TESTS += tests/unit/test_carry
tests_unit_test_carry_SOURCES = tests/unit/test_carry.c \
	milter/auth_results.c milter/auth_results.h \
	milter/carry.c milter/carry.h \
	milter/tag.c milter/tag.h $(conf_case)
tests_unit_test_carry_LDADD = $(LDADD) $(LIBMILTER_LIBS)
tests_unit_test_carry_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=control_ask_within
UNIT_TESTS += tests/unit/test_header_value
header_reader = tests/unit/header_reader.c tests/unit/header_reader.h
tests_unit_test_header_value_SOURCES = tests/unit/test_header_value.c \
	$(header_reader)
UNIT_TESTS += tests/unit/test_commands
front_sources = \
	milter/front_commands.c milter/front_commands.h \
	milter/front_context.c milter/front_tie.c \
	milter/fronts.c milter/fronts.h milter/fronts_state.h \
	milter/msession.c milter/msession.h
tests_unit_test_commands_SOURCES = tests/unit/test_commands.c \
	milter/commands.c milter/commands.h $(front_sources) $(load_conf)
tests_unit_test_commands_LDADD = libdaemon.la $(LDADD)
UNIT_TESTS += tests/unit/test_fronts
tests_unit_test_fronts_SOURCES = tests/unit/test_fronts.c $(front_sources) \
	$(conf_case)
tests_unit_test_fronts_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_ms
UNIT_TESTS += tests/unit/test_variables
tests_unit_test_variables_SOURCES = tests/unit/test_variables.c \
	milter/msession.c milter/msession.h \
	milter/variables.c milter/variables.h $(conf_case)
UNIT_TESTS += tests/unit/test_control
tests_unit_test_control_LDADD = libdaemon.la $(LDADD)
tests_unit_test_control_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=deadline_in

UNIT_TESTS += tests/unit/test_shield tests/unit/test_shield_flood
shield_case = tests/unit/shield_case.c tests/unit/shield_case.h
tests_unit_test_shield_SOURCES = tests/unit/test_shield.c $(shield_case)
tests_unit_test_shield_flood_SOURCES = tests/unit/test_shield_flood.c \
	$(shield_case)
UNIT_TESTS += tests/unit/test_shield_wait
tests_unit_test_shield_wait_SOURCES = tests/unit/test_shield_wait.c \
	$(shield_case)
UNIT_TESTS += tests/unit/test_auth_memory tests/unit/test_auth_memory_join
memory_case = tests/unit/memory_case.c tests/unit/memory_case.h
tests_unit_test_auth_memory_SOURCES = tests/unit/test_auth_memory.c \
	$(memory_case)
tests_unit_test_auth_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_ms
tests_unit_test_auth_memory_join_SOURCES = tests/unit/test_auth_memory_join.c \
	$(memory_case)
tests_unit_test_auth_memory_join_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_ms
UNIT_TESTS += tests/unit/test_login_memory
tests_unit_test_login_memory_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray

if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
else
TESTS += tests/unit/no_cmocka.sh
endif
EXTRA_DIST += tests/data/conf
EXTRA_DIST += tests/unit/no_cmocka.sh tests/classify_figures.sh

# An upstream inside the test, and certificates for it.
FAKE_TRANSPORT = \
	tests/unit/certs.c tests/unit/certs.h \
	tests/unit/fake_transport.c tests/unit/fake_transport.h
UNIT_TESTS += tests/unit/test_dial tests/unit/test_tls
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c \
	tests/unit/certs.c tests/unit/certs.h
UNIT_TESTS += tests/unit/test_session tests/unit/test_session_torture
tests_unit_test_session_SOURCES = tests/unit/test_session.c $(FAKE_TRANSPORT)
tests_unit_test_session_torture_SOURCES = tests/unit/test_session_torture.c \
	$(FAKE_TRANSPORT)
UNIT_TESTS += tests/unit/test_exchange tests/unit/test_exchange_relay
exchange_rig = tests/unit/exchange_rig.c tests/unit/exchange_rig.h \
	$(FAKE_TRANSPORT)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c $(exchange_rig)
tests_unit_test_exchange_relay_SOURCES = tests/unit/test_exchange_relay.c \
	$(exchange_rig)
UNIT_TESTS += tests/unit/test_session_begin tests/unit/test_session_again
tests_unit_test_session_again_SOURCES = tests/unit/test_session_again.c \
	$(exchange_rig)

# postern-authd's own rooms
UNIT_TESTS += tests/unit/test_saslauthd_frame tests/unit/test_timers \
	tests/unit/test_workers
authd_ldadd = saslauth-plugin/libauthd.la $(LDADD)
tests_unit_test_saslauthd_frame_LDADD = $(authd_ldadd)
UNIT_TESTS += tests/unit/test_sendmail_key tests/unit/test_sendmail_reply
tests_unit_test_sendmail_key_LDADD = $(authd_ldadd)
tests_unit_test_sendmail_reply_LDADD = $(authd_ldadd)
tests_unit_test_timers_LDADD = $(authd_ldadd)
tests_unit_test_workers_LDADD = $(authd_ldadd)

UNIT_TESTS += tests/unit/test_pool tests/unit/test_pool_faults \
	tests/unit/test_pool_reset tests/unit/test_pool_stress
pool_rig = tests/unit/pool_rig.c tests/unit/pool_rig.h $(load_conf) \
	tests/unit/mini_upstream.c tests/unit/mini_upstream.h
tests_unit_test_pool_SOURCES = tests/unit/test_pool.c $(pool_rig)
tests_unit_test_pool_faults_SOURCES = tests/unit/test_pool_faults.c $(pool_rig)
tests_unit_test_pool_reset_SOURCES = tests/unit/test_pool_reset.c $(pool_rig)
tests_unit_test_pool_stress_SOURCES = tests/unit/test_pool_stress.c $(pool_rig)

# Logins.
auth_rig = tests/unit/auth_rig.c tests/unit/auth_rig.h \
	tests/unit/login_upstream.c tests/unit/login_upstream.h \
	tests/unit/mini_upstream.c tests/unit/mini_upstream.h $(conf_case)
UNIT_TESTS += tests/unit/test_auth tests/unit/test_auth_guess \
	tests/unit/test_auth_hosts tests/unit/test_auth_quick \
	tests/unit/test_auth_relay \
	tests/unit/test_auth_secrets tests/unit/test_auth_stress
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c $(auth_rig)
tests_unit_test_auth_guess_SOURCES = tests/unit/test_auth_guess.c $(auth_rig)
tests_unit_test_auth_hosts_SOURCES = tests/unit/test_auth_hosts.c $(auth_rig)
tests_unit_test_auth_quick_SOURCES = tests/unit/test_auth_quick.c \
	tests/unit/quick_rig.c tests/unit/quick_rig.h $(auth_rig)
tests_unit_test_auth_relay_SOURCES = tests/unit/test_auth_relay.c $(auth_rig)
tests_unit_test_auth_secrets_SOURCES = tests/unit/test_auth_secrets.c \
	$(auth_rig)
tests_unit_test_auth_stress_SOURCES = tests/unit/test_auth_stress.c $(auth_rig)
