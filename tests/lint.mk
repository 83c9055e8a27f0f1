# SPDX-License-Identifier: BSD-2-Clause
# Checks that read the sources, and two that read what was built. `make lint'
# runs the former in seconds. A new one is a script in tests/lint/, a line
# here, its name in run.sh and a fault for it to find in selftest.sh.

LINT_TESTS = \
	tests/lint/format.sh \
	tests/lint/banned.sh \
	tests/lint/layers.sh \
	tests/lint/headers.sh \
	tests/lint/size.sh \
	tests/lint/comments.sh \
	tests/lint/manual.sh \
	tests/lint/shell.sh \
	tests/lint/spelling.sh \
	tests/lint/selftest.sh

# The sources do not change with the sanitizer, and instrumented objects have
# variables of their own.
if PLAIN
TESTS += $(LINT_TESTS) tests/lint/static.sh
endif
if HARDENING
TESTS += tests/lint/hardening.sh
endif

# The manual against the table of options.
TESTS += tests/lint/man_params.sh
check_PROGRAMS += tests/lint/params_list
tests_lint_params_list_LDADD = libpostern.la
EXTRA_DIST += tests/lint/man_params.sh

EXTRA_DIST += .clang-format .clang-tidy \
	bench/.clang-tidy tests/.clang-tidy tools/.clang-tidy \
	$(LINT_TESTS) \
	tests/lint/hardening.sh \
	tests/lint/static.sh \
	tests/lint/analyse.sh \
	tests/lint/coverage.sh \
	tests/lint/files.sh \
	tests/lint/run.sh \
	tests/lint/spelling.words

# What headers.sh and hardening.sh cannot find out for themselves.
if FORTIFY
lint_fortify = yes
else
lint_fortify = no
endif
AM_TESTS_ENVIRONMENT += \
	LINT_CPPFLAGS='$(LIBCURL_CFLAGS) $(OPENSSL_CFLAGS) $(LIBCONFUSE_CFLAGS) $(SQLITE_CFLAGS) $(SYSTEMD_CFLAGS) $(LIBSASL_CFLAGS) $(CMOCKA_CFLAGS)'; \
	export LINT_CPPFLAGS; \
	LINT_PROGRAMS='$(bin_PROGRAMS) $(sbin_PROGRAMS) $(pkglibexec_PROGRAMS)'; \
	export LINT_PROGRAMS; \
	LINT_CHECK_PROGRAMS='$(check_PROGRAMS)'; export LINT_CHECK_PROGRAMS; \
	LINT_FORTIFY=$(lint_fortify); export LINT_FORTIFY;

.PHONY: lint tidy cppcheck coverage

lint:
	@$(AM_TESTS_ENVIRONMENT) sh $(srcdir)/tests/lint/run.sh

# Slow ones, in a build of their own under analysis/.
tidy cppcheck:
	@$(AM_TESTS_ENVIRONMENT) sh $(srcdir)/tests/lint/analyse.sh $@

coverage:
	@test '$(postern_coverage)' != no || \
	    { echo 'make coverage: configure with --enable-coverage' >&2; exit 1; }
	@rm -rf coverage; find . -name '*.gcda' -exec rm -f {} +
	$(MAKE) $(AM_MAKEFLAGS) check LLVM_PROFILE_FILE='$(abs_top_builddir)/coverage/%p-%m.profraw'
	@$(AM_TESTS_ENVIRONMENT) sh $(srcdir)/tests/lint/coverage.sh '$(postern_coverage)'

clean-local: clean-analysis
.PHONY: clean-analysis
clean-analysis:
	-rm -rf analysis coverage
