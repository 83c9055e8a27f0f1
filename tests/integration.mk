# SPDX-License-Identifier: BSD-2-Clause
# Integration tests: they want root and real MTAs, so ./check runs them and
# `make check' does not.

EXTRA_DIST += quickstart \
	tests/integration/README.md \
	tests/integration/run \
	tests/integration/harness/__init__.py \
	tests/integration/harness/auth_gate.py \
	tests/integration/harness/authd.py \
	tests/integration/harness/case.py \
	tests/integration/harness/certs.py \
	tests/integration/harness/daemon.py \
	tests/integration/harness/dial.py \
	tests/integration/harness/dovecot.py \
	tests/integration/harness/dovecot.sh \
	tests/integration/harness/fail2ban.py \
	tests/integration/harness/gate.py \
	tests/integration/harness/logins.py \
	tests/integration/harness/milterclient.py \
	tests/integration/harness/mta_postfix.py \
	tests/integration/harness/mta_sendmail.py \
	tests/integration/harness/namespace.py \
	tests/integration/harness/namespace.sh \
	tests/integration/harness/packages.py \
	tests/integration/harness/packages.sh \
	tests/integration/harness/ports.py \
	tests/integration/harness/postfix.sh \
	tests/integration/harness/sasl.py \
	tests/integration/harness/saslauthd.py \
	tests/integration/harness/scripted.py \
	tests/integration/harness/scripted_auth.py \
	tests/integration/harness/smtpclient.py \
	tests/integration/harness/submission.py \
	tests/integration/harness/syslog.py \
	tests/integration/harness/tagged.py \
	tests/integration/harness/wire.py \
	tests/integration/test_auth_control.py \
	tests/integration/test_auth_fail2ban.py \
	tests/integration/test_auth_faults.py \
	tests/integration/test_auth_ctl.py \
	tests/integration/test_auth_mechs.py \
	tests/integration/test_auth_pool.py \
	tests/integration/test_auth_postfix.py \
	tests/integration/test_auth_routes.py \
	tests/integration/test_auth_saslauthd.py \
	tests/integration/test_auth_secrets.py \
	tests/integration/test_auth_sendmail.py \
	tests/integration/test_auth_shield.py \
	tests/integration/test_auth_sockets.py \
	tests/integration/test_auth_upstreams.py \
	tests/integration/test_auth_verdicts.py \
	tests/integration/test_harness_auth.py \
	tests/integration/test_harness_postfix.py \
	tests/integration/test_harness_sendmail.py \
	tests/integration/test_rcpt_auth.py \
	tests/integration/test_rcpt_caps.py \
	tests/integration/test_rcpt_control.py \
	tests/integration/test_rcpt_datasource.py \
	tests/integration/test_rcpt_faults.py \
	tests/integration/test_rcpt_life.py \
	tests/integration/test_rcpt_postfix.py \
	tests/integration/test_rcpt_routes.py \
	tests/integration/test_rcpt_sendmail.py \
	tests/integration/test_rcpt_soak.py \
	tests/integration/test_rcpt_upstream.py \
	tests/integration/test_tags_postfix.py \
	tests/integration/test_tags_sendmail.py
