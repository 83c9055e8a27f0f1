# SPDX-License-Identifier: BSD-2-Clause
# libpostern.so, the SASL plug-in: libbase and libc, one symbol to the outside

saslplugindir = $(sasl_plugindir)
saslplugin_LTLIBRARIES = saslauth-plugin/libpostern.la
saslauth_plugin_libpostern_la_SOURCES = \
	saslauth-plugin/authd_client.c saslauth-plugin/authd_client.h \
	saslauth-plugin/authd_kept.c saslauth-plugin/authd_kept.h \
	saslauth-plugin/mech.c saslauth-plugin/mech.h \
	saslauth-plugin/plugin.c
saslauth_plugin_libpostern_la_LDFLAGS = -module -avoid-version -shared \
	-export-symbols-regex '^sasl_server_plug_init$$' \
	$(HARDEN_LDFLAGS) $(SAN_LDFLAGS) $(COV_LDFLAGS)
saslauth_plugin_libpostern_la_LIBADD = libbase.la
