# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzz targets. A new one is two lines here,
#
#	FUZZ_TARGETS += tests/fuzz/fuzz_NAME
#	tests_fuzz_fuzz_NAME_LDADD = $(FUZZ_LIBS)
#
# its source tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput() (include
# "tests/fuzz/fuzz.h") and a few seeds in tests/corpus/NAME/.
#
# With --enable-fuzzing, libFuzzer drives it: `make fuzz FUZZ_SECONDS=20'.
# Without, it is linked with a main() that feeds it the corpus, and is one
# of the tests of `make check'.

FUZZ_TARGETS =
FUZZ_TARGETS += tests/fuzz/fuzz_address
tests_fuzz_fuzz_address_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_auth_mech
tests_fuzz_fuzz_auth_mech_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_cidr
tests_fuzz_fuzz_cidr_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_classify
tests_fuzz_fuzz_classify_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_ds_lines
tests_fuzz_fuzz_ds_lines_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_ehlo
tests_fuzz_fuzz_ehlo_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_endpoint
tests_fuzz_fuzz_endpoint_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_login_name
tests_fuzz_fuzz_login_name_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_nexthop
tests_fuzz_fuzz_nexthop_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_reply
tests_fuzz_fuzz_reply_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_wire
tests_fuzz_fuzz_wire_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_xsetcontext
tests_fuzz_fuzz_xsetcontext_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_xtext
tests_fuzz_fuzz_xtext_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_saslauthd
tests_fuzz_fuzz_saslauthd_LDADD = saslauth-plugin/libauthd.la $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_socketmap
tests_fuzz_fuzz_socketmap_LDADD = saslauth-plugin/libauthd.la $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_sendmail_key
tests_fuzz_fuzz_sendmail_key_LDADD = saslauth-plugin/libauthd.la $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_auth_results
tests_fuzz_fuzz_auth_results_SOURCES = tests/fuzz/fuzz_auth_results.c \
	milter/auth_results.c milter/auth_results.h
tests_fuzz_fuzz_auth_results_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_header_value
tests_fuzz_fuzz_header_value_SOURCES = tests/fuzz/fuzz_header_value.c \
	$(header_reader)
tests_fuzz_fuzz_header_value_LDADD = $(FUZZ_LIBS)
FUZZ_SECONDS = 20

check_PROGRAMS += $(FUZZ_TARGETS)

if FUZZING
FUZZ_LIBS = $(FUZZ_LDFLAGS) libpostern.la
else
FUZZ_LIBS = tests/fuzz/libreplay.la libpostern.la
check_LTLIBRARIES = tests/fuzz/libreplay.la
TESTS += $(FUZZ_TARGETS)
endif
tests_fuzz_libreplay_la_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c

EXTRA_DIST += tests/corpus tests/fuzz/run.sh

.PHONY: fuzz fuzz-programs clean-fuzz

fuzz-programs: $(FUZZ_TARGETS)

fuzz: fuzz-programs
	@test '$(FUZZ_LDFLAGS)' != '' || \
	    { echo 'make fuzz: configure with --enable-fuzzing CC=clang' >&2; exit 1; }
	@$(AM_TESTS_ENVIRONMENT) \
	    sh $(srcdir)/tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

clean-local: clean-fuzz
clean-fuzz:
	-rm -rf fuzz
