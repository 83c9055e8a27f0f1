# SPDX-License-Identifier: BSD-2-Clause
"""Clients that log in: swaks, Python's smtplib, and by hand the mechanisms
that neither knows.  Each returns the smtpclient.Reply that ended the login,
but for swaks and smtplib, where it is (code, text)."""
import base64
import hashlib
import hmac
import re
import smtplib
import ssl

from . import smtpclient

NONCE = "rOprNGfwEbeRWgbNEkqO"


def b64(data):
    """Base64, as text."""
    if isinstance(data, str):
        data = data.encode("utf-8")
    return base64.b64encode(data).decode("ascii")


def unb64(text):
    """Back again."""
    return base64.b64decode(text)


def plain_response(user, password, authzid=""):
    """What PLAIN sends; str or bytes in, bytes out."""
    parts = [part.encode("utf-8") if isinstance(part, str) else part
             for part in (authzid, user, password)]
    return b"\0".join(parts)


def plain(client, user, password, initial=True, authzid=""):
    """AUTH PLAIN, with or without an initial response."""
    response = b64(plain_response(user, password, authzid))
    if initial:
        return client.command(f"AUTH PLAIN {response}")
    reply = client.command("AUTH PLAIN")
    return client.command(response) if reply.code == 334 else reply


def login(client, user, password, initial=False):
    """AUTH LOGIN."""
    if initial:
        reply = client.command(f"AUTH LOGIN {b64(user)}")
    else:
        reply = client.command("AUTH LOGIN")
        if reply.code == 334:
            reply = client.command(b64(user))
    return client.command(b64(password)) if reply.code == 334 else reply


def cram_md5(client, user, password):
    """AUTH CRAM-MD5, RFC 2195."""
    reply = client.command("AUTH CRAM-MD5")
    if reply.code != 334:
        return reply
    digest = hmac.new(password.encode("utf-8"), unb64(reply.text),
                      "md5").hexdigest()
    return client.command(b64(f"{user} {digest}"))


def xoauth2_response(user, token):
    """What XOAUTH2 sends."""
    return f"user={user}\1auth=Bearer {token}\1\1"


def xoauth2(client, user, token):
    """AUTH XOAUTH2; a 334 that tells why it failed is answered with nothing,
    as its clients do."""
    reply = client.command(
        f"AUTH XOAUTH2 {b64(xoauth2_response(user, token))}")
    return client.command("") if reply.code == 334 else reply


def oauthbearer(client, user, token):
    """AUTH OAUTHBEARER, RFC 7628."""
    reply = client.command("AUTH OAUTHBEARER " + b64(
        f"n,a={user},\1auth=Bearer {token}\1\1"))
    return client.command("AQ==") if reply.code == 334 else reply


def _fields(message):
    return dict(part.split("=", 1) for part in message.split(","))


class ScramError(AssertionError):
    """The server did not prove that it knows the password."""


def scram(client, user, password, algorithm="sha256"):
    """AUTH SCRAM-SHA-1 or -256, RFC 5802; the server's proof is checked."""
    name = {"sha1": "SCRAM-SHA-1", "sha256": "SCRAM-SHA-256"}[algorithm]
    escaped = user.replace("=", "=3D").replace(",", "=2C")
    bare = f"n={escaped},r={NONCE}"
    reply = client.command(f"AUTH {name} {b64('n,,' + bare)}")
    if reply.code != 334:
        return reply
    challenge = unb64(reply.text).decode("utf-8")
    server = _fields(challenge)
    salted = hashlib.pbkdf2_hmac(algorithm, password.encode("utf-8"),
                                 unb64(server["s"]), int(server["i"]))

    def mac(key, text):
        return hmac.new(key, text.encode("utf-8"), algorithm).digest()

    key = mac(salted, "Client Key")
    without_proof = f"c={b64('n,,')},r={server['r']}"
    signed = f"{bare},{challenge},{without_proof}"
    signature = mac(hashlib.new(algorithm, key).digest(), signed)
    proof = bytes(a ^ b for a, b in zip(key, signature))
    reply = client.command(b64(f"{without_proof},p={b64(proof)}"))
    if reply.code != 334:
        return reply
    final = _fields(unb64(reply.text).decode("utf-8"))
    want = mac(mac(salted, "Server Key"), signed)
    if "v" not in final or unb64(final["v"]) != want:
        raise ScramError(f"the server's last message: {final}")
    return client.command("")


def scram_sha1(client, user, password):
    """AUTH SCRAM-SHA-1."""
    return scram(client, user, password, "sha1")


def attempt(port, how, user, secret, address=None, **options):
    """One login in a session of its own.  how: one of the functions above;
    address: whom XCLIENT says that we are."""
    with smtpclient.Client(port, helo="client.test") as client:
        if address is not None:
            reply = client.command(f"XCLIENT ADDR={address}")
            if reply.code != 220:
                return reply
            client.ehlo()
        return how(client, user, secret, **options)


def swaks(case, port, mechanism, user, password, *arguments):
    """The (code, text) of the login, by swaks."""
    done = case.run(["swaks", "--server", "127.0.0.1", "--port", str(port),
                     "--helo", "client.test", "--auth", mechanism,
                     "--auth-user", user, "--auth-password", password,
                     "--quit-after", "AUTH", *arguments])
    found = re.findall(r"^<(?:[*-]|~)+ +([245]\d\d)[ -](.*)$", done.stdout,
                       re.MULTILINE)
    replies = [(int(code), text) for code, text in found]
    # greeting, EHLO, ..., AUTH, QUIT
    replies = [reply for reply in replies if reply[0] not in (220, 250, 221)]
    if not replies:
        raise AssertionError(f"swaks: {done.stdout}{done.stderr}")
    return replies[0]


def smtplib_login(port, mechanism, user, password, tls=None):
    """The (code, text) of the login, by Python's smtplib."""
    with smtplib.SMTP("127.0.0.1", port, "client.test", 60) as client:
        if tls is not None:
            context = ssl.create_default_context(cafile=tls)
            client.starttls(context=context)
        client.ehlo()
        client.user, client.password = user, password
        function = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login,
                    "CRAM-MD5": client.auth_cram_md5}[mechanism]
        try:
            code, text = client.auth(
                mechanism, function,
                initial_response_ok=mechanism != "CRAM-MD5")
        except smtplib.SMTPAuthenticationError as error:
            code, text = error.smtp_code, error.smtp_error
        return code, text.decode("utf-8", "replace")
