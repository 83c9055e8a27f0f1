# SPDX-License-Identifier: BSD-2-Clause
# postern-front, between a client, a small MTA and a small milter

TESTS += $(front_tests)
front_tests = \
	tests/front/test_distrust.py \
	tests/front/test_extensions.py \
	tests/front/test_faults.py \
	tests/front/test_passing.py \
	tests/front/test_starttls.py
EXTRA_DIST += $(front_tests) tests/front/rig.py

FUZZ_TARGETS += tests/fuzz/fuzz_front_command tests/fuzz/fuzz_front_message
tests_fuzz_fuzz_front_command_LDADD = libfront.la $(FUZZ_LIBS)
tests_fuzz_fuzz_front_message_LDADD = libfront.la $(FUZZ_LIBS)
