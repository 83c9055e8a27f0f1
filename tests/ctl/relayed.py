# SPDX-License-Identifier: BSD-2-Clause
"""The server's side of challenge-response mechanisms and tokens, for the
scripted upstream.

    known = Relayed(upstream, {"ann@example.org": "correct horse"})
    known.spoil = True      # SCRAM: a wrong proof of the server's own
"""
import base64
import hashlib
import hmac

MECHANISMS = "CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER"
GOOD = "235 2.7.0 Authentication successful"
BAD = "535 5.7.8 Authentication credentials invalid"
NONCE = "rOprNGfwEbeRWgbNEkqO"
SALT = b"W22ZaJ0SNY7soEsU"


def _coded(text):
    data = text.encode("utf-8") if isinstance(text, str) else text
    return base64.b64encode(data).decode("ascii")


class Relayed:
    """A step `auth`; users: {name: password or token}."""

    def __init__(self, upstream, users):
        self.users = users
        self.spoil = False
        self.endless = False
        self.attempts = []  # (mechanism, user) of each that came
        upstream.keywords.append("AUTH " + MECHANISMS)
        upstream.steps["auth"] = self

    @staticmethod
    def _ask(session, text):
        """A challenge; the response to it."""
        session.say("334 " + _coded(text))
        return base64.b64decode(session.line()).decode("utf-8")

    def __call__(self, session, line):
        words = line.split()
        mechanism = words[1].upper()
        initial = None
        if len(words) > 2:
            initial = base64.b64decode(words[2]).decode("utf-8")
        while self.endless:
            self._ask(session, "more")
        if mechanism == "CRAM-MD5":
            return self._cram(session)
        if initial is None:
            initial = self._ask(session, "")
        if mechanism.startswith("SCRAM-"):
            return self._scram(session, mechanism, initial)
        return self._bearer(session, mechanism, initial)

    def _cram(self, session):
        challenge = "<1896.697170952@mailstore.test>"
        user, _, digest = self._ask(session, challenge).rpartition(" ")
        self.attempts.append(("CRAM-MD5", user))
        want = hmac.new(self.users.get(user, "?").encode("utf-8"),
                        challenge.encode("ascii"), "md5").hexdigest()
        return GOOD if digest == want else BAD

    def _scram(self, session, mechanism, initial):
        algorithm = "sha1" if mechanism == "SCRAM-SHA-1" else "sha256"
        bare = initial.split(",", 2)[2]
        fields = dict(part.split("=", 1) for part in bare.split(","))
        user = fields["n"].replace("=2C", ",").replace("=3D", "=")
        self.attempts.append((mechanism, user))
        first = f"r={fields['r']}{NONCE},s={_coded(SALT)},i=4096"
        response = self._ask(session, first)
        without, proof = response.rsplit(",p=", 1)
        salted = hashlib.pbkdf2_hmac(
            algorithm, self.users.get(user, "?").encode("utf-8"), SALT, 4096)

        def mac(key, text):
            return hmac.new(key, text.encode("utf-8"), algorithm).digest()

        signed = f"{bare},{first},{without}"
        key = mac(salted, "Client Key")
        signature = mac(hashlib.new(algorithm, key).digest(), signed)
        want = bytes(a ^ b for a, b in zip(key, signature))
        if base64.b64decode(proof) != want:
            return BAD
        final = mac(mac(salted, "Server Key"), signed)
        if self.spoil:
            final = final[::-1]
        self._ask(session, f"v={_coded(final)}")
        return GOOD

    def _bearer(self, session, mechanism, initial):
        parts = initial.split("\1")
        if mechanism == "XOAUTH2":
            user = parts[0].partition("user=")[2]
        else:
            user = parts[0].split("a=", 1)[1].rstrip(",")
            user = user.replace("=2C", ",").replace("=3D", "=")
        self.attempts.append((mechanism, user))
        token = next(part for part in parts if part.startswith("auth="))
        if token == "auth=Bearer " + self.users.get(user, "?"):
            return GOOD
        # why, which the client has to answer
        self._ask(session, '{"status":"invalid_token"}')
        return BAD
