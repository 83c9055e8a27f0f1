# SPDX-License-Identifier: BSD-2-Clause
# postern-authd
sbin_PROGRAMS += saslauth-plugin/postern-authd
saslauth_plugin_postern_authd_SOURCES = saslauth-plugin/authd_main.c
saslauth_plugin_postern_authd_LDADD = \
	saslauth-plugin/libauthd.la libdaemon.la libpostern.la

# All but main() is an archive: the tests have a daemon whose
# auth.h is a script.
noinst_LTLIBRARIES += saslauth-plugin/libauthd.la
saslauth_plugin_libauthd_la_SOURCES = \
	saslauth-plugin/authd_accept.c \
	saslauth-plugin/authd_commands.c saslauth-plugin/authd_commands.h \
	saslauth-plugin/authd_listen.c saslauth-plugin/authd_listen.h \
	saslauth-plugin/authd_loop.c saslauth-plugin/authd_loop.h \
	saslauth-plugin/authd_put.c saslauth-plugin/authd_put.h \
	saslauth-plugin/authd_roles.c saslauth-plugin/authd_roles.h \
	saslauth-plugin/authd_serve.c saslauth-plugin/authd_serve.h \
	saslauth-plugin/complain.c saslauth-plugin/complain.h \
	saslauth-plugin/conn.c saslauth-plugin/conn.h \
	saslauth-plugin/conn_quick.c saslauth-plugin/conn_rest.c \
	saslauth-plugin/conn_work.c \
	saslauth-plugin/peers.c saslauth-plugin/peers.h \
	saslauth-plugin/saslauthd_frame.c saslauth-plugin/saslauthd_frame.h \
	saslauth-plugin/saslauthd_serve.c saslauth-plugin/serve.h \
	saslauth-plugin/sendmail_key.c saslauth-plugin/sendmail_key.h \
	saslauth-plugin/sendmail_reply.c saslauth-plugin/sendmail_reply.h \
	saslauth-plugin/serve_check.c saslauth-plugin/serve_text.c \
	saslauth-plugin/socketmap_ask.c saslauth-plugin/socketmap_ask.h \
	saslauth-plugin/socketmap_frame.c saslauth-plugin/socketmap_frame.h \
	saslauth-plugin/socketmap_serve.c \
	saslauth-plugin/timers.c saslauth-plugin/timers.h \
	saslauth-plugin/wire_serve.c \
	saslauth-plugin/workers.c saslauth-plugin/workers.h

check_PROGRAMS += tests/authd/scripted-authd
tests_authd_scripted_authd_SOURCES = \
	saslauth-plugin/authd_main.c tests/authd/scripted_auth.c \
	tests/authd/scripted_outbound.c
tests_authd_scripted_authd_LDADD = \
	saslauth-plugin/libauthd.la libdaemon.la libpostern.la

authd_tests = tests/authd/test_kept.py \
	tests/authd/test_life.py tests/authd/test_login.py \
	tests/authd/test_outbound.py tests/authd/test_outbound_put.py \
	tests/authd/test_outbound_rows.py tests/authd/test_quick.py \
	tests/authd/test_serve.py
TESTS += $(authd_tests)
EXTRA_DIST += tests/authd/rig.py $(authd_tests)
