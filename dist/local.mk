# SPDX-License-Identifier: BSD-2-Clause
# units and sample configurations

sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
examplesdir = $(docdir)/examples

dist_doc_DATA += README.md

dist_examples_DATA = \
	dist/postern.conf.sample \
	dist/main.cf.sample \
	dist/master.cf.sample \
	dist/postern-front.socket.sample \
	dist/postern-front@.service.sample \
	dist/smtpd.conf.sample \
	dist/sendmail.mc.sample \
	dist/Sendmail.conf.sample

# What sendmail.mc includes.
dist_pkgdata_DATA = dist/sendmail-outbound.m4

fail2banfilterdir = $(examplesdir)/fail2ban/filter.d
dist_fail2banfilter_DATA = dist/fail2ban/filter.d/postern-auth.conf
fail2banjaildir = $(examplesdir)/fail2ban/jail.d
dist_fail2banjail_DATA = dist/fail2ban/jail.d/postern-auth.conf

# Made here and not by configure, which does not know the directories that
# make may be given.
systemdsystemunit_DATA = \
	dist/postern-authd.service \
	dist/postern-milter.service
sysusers_DATA = dist/sysusers.d/postern.conf
tmpfiles_DATA = dist/tmpfiles.d/postern.conf
EXTRA_DIST += \
	dist/postern-authd.service.in \
	dist/postern-milter.service.in \
	dist/postern.sysusers \
	dist/postern.tmpfiles
CLEANFILES += $(systemdsystemunit_DATA) $(sysusers_DATA) $(tmpfiles_DATA)

put_directories = $(SED) \
	-e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@bindir[@]|$(bindir)|g' \
	-e 's|@pkgsysconfdir[@]|$(sysconfdir)/postern|g' \
	-e 's|@pkgstatedir[@]|$(localstatedir)/lib/postern|g'

dist/postern-authd.service: dist/postern-authd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) dist && \
	    $(put_directories) $(srcdir)/dist/postern-authd.service.in >$@.tmp && \
	    mv $@.tmp $@

dist/postern-milter.service: dist/postern-milter.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) dist && \
	    $(put_directories) $(srcdir)/dist/postern-milter.service.in >$@.tmp && \
	    mv $@.tmp $@

dist/sysusers.d/postern.conf: dist/postern.sysusers Makefile
	$(AM_V_GEN)$(MKDIR_P) dist/sysusers.d && \
	    $(put_directories) $(srcdir)/dist/postern.sysusers >$@.tmp && \
	    mv $@.tmp $@

dist/tmpfiles.d/postern.conf: dist/postern.tmpfiles Makefile
	$(AM_V_GEN)$(MKDIR_P) dist/tmpfiles.d && \
	    $(put_directories) $(srcdir)/dist/postern.tmpfiles >$@.tmp && \
	    mv $@.tmp $@

TESTS += tests/lint/sample_conf.sh tests/service.py
EXTRA_DIST += tests/lint/sample_conf.sh tests/service.py
