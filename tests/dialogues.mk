# SPDX-License-Identifier: BSD-2-Clause
# dialogues with a scripted upstream

# The upstream that follows a script; every dialogue test needs it.
check_PROGRAMS += tests/upstream/scripted
tests_upstream_scripted_SOURCES = \
	tests/upstream/main.c \
	tests/upstream/pattern.c tests/upstream/pattern.h \
	tests/upstream/peer.c tests/upstream/peer.h \
	tests/upstream/play.c tests/upstream/play.h \
	tests/upstream/script.c tests/upstream/script.h \
	tests/upstream/serve.c tests/upstream/serve.h \
	tests/upstream/tlsctx.c tests/upstream/tlsctx.h \
	tests/upstream/transcript.c tests/upstream/transcript.h
tests_upstream_scripted_LDADD = $(OPENSSL_LIBS)

TESTS += tests/upstream/test_scripted.py
EXTRA_DIST += tests/upstream/test_scripted.py tests/upstream/mkcerts \
	tests/upstream/README.md

# The client's side: opens a session, asks, prints what came.
check_PROGRAMS += tests/dialogues/ask
tests_dialogues_ask_SOURCES = tests/dialogues/ask.c
tests_dialogues_ask_LDADD = libpostern.la

TESTS += tests/dialogues/run.sh
EXTRA_DIST += tests/dialogues/run.sh tests/dialogues/session
