# SPDX-License-Identifier: BSD-2-Clause
# The plug-in in an application of libsasl, against a scripted postern-authd.

PLUGIN_TESTS = \
	tests/plugin/test_faults \
	tests/plugin/test_kept \
	tests/plugin/test_offer \
	tests/plugin/test_password \
	tests/plugin/test_process \
	tests/plugin/test_relay
plugin_rig = tests/plugin/host.c tests/plugin/host.h \
	tests/plugin/fake_authd.c tests/plugin/fake_authd.h
plugin_login = tests/plugin/login.c tests/plugin/login.h $(plugin_rig)
plugin_ldadd = libbase.la $(LIBSASL_LIBS) $(CMOCKA_LIBS)

tests_plugin_test_faults_SOURCES = tests/plugin/test_faults.c $(plugin_login)
tests_plugin_test_faults_LDADD = $(plugin_ldadd)
tests_plugin_test_kept_SOURCES = tests/plugin/test_kept.c $(plugin_login) \
	saslauth-plugin/authd_client.c saslauth-plugin/authd_client.h \
	saslauth-plugin/authd_kept.c saslauth-plugin/authd_kept.h
# its own objects of those
tests_plugin_test_kept_CFLAGS = $(AM_CFLAGS)
tests_plugin_test_kept_LDADD = $(plugin_ldadd)
tests_plugin_test_offer_SOURCES = tests/plugin/test_offer.c $(plugin_rig)
tests_plugin_test_offer_LDADD = $(plugin_ldadd)
tests_plugin_test_password_SOURCES = tests/plugin/test_password.c $(plugin_login)
tests_plugin_test_password_LDADD = $(plugin_ldadd)
tests_plugin_test_process_SOURCES = tests/plugin/test_process.c $(plugin_rig)
tests_plugin_test_process_LDADD = $(plugin_ldadd)
tests_plugin_test_relay_SOURCES = tests/plugin/test_relay.c $(plugin_login)
tests_plugin_test_relay_LDADD = $(plugin_ldadd)

if HAVE_CMOCKA
check_PROGRAMS += $(PLUGIN_TESTS)
TESTS += $(PLUGIN_TESTS)
endif
AM_TESTS_ENVIRONMENT += \
	SASL_STOCKDIR='$(sasl_stockdir)'; export SASL_STOCKDIR;

# What is loaded into every SASL application, looked at from outside.
if PLAIN
TESTS += tests/plugin/symbols.sh
endif
EXTRA_DIST += tests/plugin/symbols.sh
