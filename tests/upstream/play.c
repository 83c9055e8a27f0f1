/* SPDX-License-Identifier: BSD-2-Clause */
#include "play.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "peer.h"
#include "script.h"
#include "tlsctx.h"
#include "transcript.h"

enum after {
	GO_ON,
	GO_BREAK, /* leave the loop */
	GO_END,   /* the section is over, as the script says or not */
};

#define mismatch(pl, st, ...)                      \
 transcript_mismatch((pl)->transcript, (pl)->file, \
     (st) == NULL ? (pl)->section->line : (st)->line, (pl)->conn, __VA_ARGS__)

static void
remark(const struct play *pl, char who, const char *text)
{
	transcript_add(pl->transcript, pl->conn, who, text, strlen(text));
}

/* Text of a client or a script, for a message: one line, printable. */
static const char *
shown(const char *text, size_t len, char *out, size_t size)
{
	size_t i, n = len < size - 1 ? len : size - 1;

	while (
	    n > 0 && n == len && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n = --len;
	for (i = 0; i < n; i++)
		if ((out[i] = text[i]) < 32 || out[i] == 127)
			out[i] = '.';
	out[n] = '\0';
	return out;
}

/* Why there was no line where the script wants one. */
static const char *
event_name(enum peer_event ev)
{
	switch (ev) {
	case PEER_GONE:
		return "the client closed";
	case PEER_TIME:
		return "nothing came";
	case PEER_STOP:
		return "the end of the program";
	case PEER_LONG:
		return "a line without end";
	case PEER_DATA:
		break;
	}
	return "octets";
}

static enum after
play_send(struct play *pl, const struct step *st)
{
	enum peer_event ev = PEER_DATA;
	char note[64];
	unsigned long i;

	transcript_add(
	    pl->transcript, pl->conn, 'S', st->text.bytes, st->text.len);
	if (st->count != 1) {
		(void)snprintf(note, sizeof(note), "(%lu times)", st->count);
		remark(pl, 'S', note);
	}
	for (i = 0; i < st->count && ev == PEER_DATA; i++)
		ev = peer_write(pl->peer, st->text.bytes, st->text.len);
	/*
	 * A client that has gone is no mismatch here: it may have had enough
	 * of what it got.  The next step that expects something will tell.
	 */
	return ev == PEER_STOP ? GO_END : GO_ON;
}

static enum after
play_expect(struct play *pl, const struct step *st)
{
	char want[256], got[256];
	const char *line = NULL;
	size_t len = 0;
	enum peer_event ev = peer_line(pl->peer, &line, &len);

	if (ev == PEER_DATA || len > 0)
		transcript_add(pl->transcript, pl->conn, 'C', line, len);
	if (ev == PEER_DATA && pattern_match(&st->text, line, len))
		return GO_ON;
	(void)shown(st->text.bytes, st->text.len, want, sizeof(want));
	if (ev == PEER_DATA)
		mismatch(pl, st, "expected \"%s\", got \"%s\"%s", want,
		    shown(line, len, got, sizeof(got)),
		    len < 2 || line[len - 2] != '\r' ? " with a bare LF" : "");
	else
		mismatch(pl, st, "expected \"%s\": %s", want, event_name(ev));
	return GO_END;
}

static enum after
play_data(struct play *pl, const struct step *st)
{
	const char *line = NULL;
	size_t len = 0;
	enum peer_event ev;

	while ((ev = peer_line(pl->peer, &line, &len)) == PEER_DATA) {
		transcript_add(pl->transcript, pl->conn, 'C', line, len);
		if (len == 3 && memcmp(line, ".\r\n", 3) == 0)
			return GO_ON;
	}
	mismatch(pl, st, "in the message: %s", event_name(ev));
	return GO_END;
}

/* The client must close (STEP_EOF), after a QUIT if it likes (STEP_BYE). */
static enum after
play_ending(struct play *pl, const struct step *st, bool quit_ok)
{
	static const char bye[] = "221 2.0.0 bye\r\n";
	char got[256];
	const char *line = NULL;
	size_t len = 0;
	enum peer_event ev = peer_line(pl->peer, &line, &len);

	if (ev == PEER_STOP && quit_ok)
		return GO_END;
	if (ev == PEER_GONE && len == 0) {
		remark(pl, '-', "closed by the client");
		return GO_ON;
	}
	if (len > 0)
		transcript_add(pl->transcript, pl->conn, 'C', line, len);
	if (quit_ok && ev == PEER_DATA && len == 6 &&
	    memcmp(line, "QUIT\r\n", 6) == 0) {
		remark(pl, 'S', bye);
		(void)peer_write(pl->peer, bye, sizeof(bye) - 1);
		peer_close(pl->peer, PEER_CLOSE);
		return GO_ON;
	}
	if (len > 0)
		mismatch(pl, st, "expected the client to close, got \"%s\"",
		    shown(line, len, got, sizeof(got)));
	else
		mismatch(
		    pl, st, "expected the client to close: %s", event_name(ev));
	return GO_END;
}

static enum after
play_quiet(struct play *pl, const struct step *st)
{
	enum peer_event ev = peer_wait(pl->peer, (int)st->ms);

	if (ev == PEER_TIME)
		return GO_ON;
	if (ev != PEER_STOP)
		mismatch(pl, st, "expected silence: %s", event_name(ev));
	return GO_END;
}

static enum after
play_hang(struct play *pl, const struct step *st)
{
	enum peer_event ev =
	    peer_ignore(pl->peer, st->ms == 0 ? -1 : (int)st->ms);

	remark(
	    pl, '-', ev == PEER_GONE ? "hung until the client closed" : "hung");
	return ev == PEER_STOP ? GO_END : GO_ON;
}

static enum after
play_tls(struct play *pl, const struct step *st)
{
	SSL_CTX *ctx =
	    tlsctx_get(pl->certs, st->name, st->client_ca, st->old_tls);
	enum peer_event ev;
	char why[200], note[300];

	if (ctx == NULL) {
		mismatch(pl, st, "no certificate \"%s\"", st->name);
		return GO_END;
	}
	ev = peer_starttls(pl->peer, ctx, why, sizeof(why));
	if (ev == PEER_STOP) {
		mismatch(pl, st, "no TLS handshake came");
		return GO_END;
	}
	if (ev == PEER_DATA)
		(void)snprintf(note, sizeof(note), "TLS with %s: %s%s",
		    st->name, SSL_get_version(peer_ssl(pl->peer)),
		    SSL_session_reused(peer_ssl(pl->peer)) ? ", resumed" : "");
	else
		(void)snprintf(note, sizeof(note), "TLS with %s failed: %s",
		    st->name, why);
	remark(pl, '-', note);
	if ((ev == PEER_DATA) == st->fails) {
		mismatch(pl, st, "%s",
		    st->fails ? "the client took the certificate" : note);
		return GO_END;
	}
	return GO_ON;
}

/* The fact of the TLS session that ${key} names. */
static bool
tls_fact(const struct play *pl, const char *key, char *out, size_t size)
{
	SSL *ssl = peer_ssl(pl->peer);
	const char *value = NULL;
	X509 *cert;

	out[0] = '\0';
	if (strcmp(key, "tls") == 0) {
		value = ssl != NULL ? SSL_get_version(ssl) : "none";
	} else if (ssl != NULL && strcmp(key, "sni") == 0) {
		value = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	} else if (ssl != NULL && strcmp(key, "resumed") == 0) {
		value = SSL_session_reused(ssl) ? "yes" : "no";
	} else if (ssl != NULL && strcmp(key, "client") == 0) {
		if ((cert = SSL_get1_peer_certificate(ssl)) != NULL)
			(void)X509_NAME_get_text_by_NID(
			    X509_get_subject_name(cert), NID_commonName, out,
			    (int)size);
		X509_free(cert);
	} else {
		return false;
	}
	if (value != NULL)
		(void)snprintf(out, size, "%s", value);
	return true;
}

static enum after
play_check(struct play *pl, const struct step *st)
{
	char value[256], want[256];

	if (!tls_fact(pl, st->name, value, sizeof(value))) {
		mismatch(pl, st, "\"%s\" cannot be known here", st->name);
		return GO_END;
	}
	if (pattern_match(&st->text, value, strlen(value)))
		return GO_ON;
	mismatch(pl, st, "%s is \"%s\", expected \"%s\"", st->name, value,
	    shown(st->text.bytes, st->text.len, want, sizeof(want)));
	return GO_END;
}

static enum after
play_step(struct play *pl, const struct step *st)
{
	switch (st->op) {
	case STEP_SEND:
		return play_send(pl, st);
	case STEP_EXPECT:
		return play_expect(pl, st);
	case STEP_DATA:
		return play_data(pl, st);
	case STEP_SLEEP:
		return peer_pause(pl->peer, (int)st->ms) == PEER_STOP ? GO_END
								      : GO_ON;
	case STEP_QUIET:
		return play_quiet(pl, st);
	case STEP_HANG:
		return play_hang(pl, st);
	case STEP_EOF:
		return play_ending(pl, st, false);
	case STEP_BYE:
		return play_ending(pl, st, true);
	case STEP_CLOSE:
	case STEP_CUT:
	case STEP_RESET:
		peer_close(pl->peer,
		    st->op == STEP_CLOSE     ? PEER_CLOSE
			: st->op == STEP_CUT ? PEER_CUT
					     : PEER_RESET);
		remark(pl, '-', "closed by the script");
		return GO_END;
	case STEP_TLS:
		return play_tls(pl, st);
	case STEP_CHECK:
		return play_check(pl, st);
	case STEP_BREAK:
		return GO_BREAK;
	case STEP_LOOP:
	case STEP_END:
		break;
	}
	return GO_ON;
}

/* Find the case for a line; play its steps. */
static enum after
play_case(struct play *pl, const struct step *st, const char *line, size_t len)
{
	char got[256];
	enum after after = GO_ON;
	const struct step *loop = st++;

	while (st->op != STEP_END &&
	    (st->op != STEP_EXPECT || !pattern_match(&st->text, line, len)))
		st++;
	if (st->op == STEP_END) {
		mismatch(pl, loop, "no case for \"%s\"",
		    shown(line, len, got, sizeof(got)));
		return GO_END;
	}
	for (st++; after == GO_ON && st->op != STEP_EXPECT; st++) {
		if (st->op == STEP_END)
			break;
		after = play_step(pl, st);
	}
	return after;
}

/* Serve lines until the client goes, which is no mismatch, or "break". */
static enum after
play_loop(struct play *pl, const struct step *loop)
{
	enum after after = GO_ON;
	const char *line = NULL;
	size_t len = 0;
	enum peer_event ev;

	while (after == GO_ON) {
		ev = peer_line(pl->peer, &line, &len);
		if (ev == PEER_LONG)
			mismatch(pl, loop, "%s", event_name(ev));
		if (ev != PEER_DATA)
			return GO_END;
		transcript_add(pl->transcript, pl->conn, 'C', line, len);
		after = play_case(pl, loop, line, len);
	}
	return after == GO_BREAK ? GO_ON : after;
}

void
play_section(struct play *pl)
{
	const struct section *sec = pl->section;
	enum after after = GO_ON;
	size_t i;

	remark(pl, '-', "connected");
	for (i = 0; i < sec->nsteps && after == GO_ON; i++) {
		if (sec->steps[i].op != STEP_LOOP) {
			after = play_step(pl, &sec->steps[i]);
			continue;
		}
		after = play_loop(pl, &sec->steps[i]);
		while (sec->steps[i].op != STEP_END)
			i++;
	}
	if (after == GO_ON)
		(void)play_ending(pl, NULL, true);
	peer_close(pl->peer, PEER_CLOSE);
}
