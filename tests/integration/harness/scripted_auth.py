# SPDX-License-Identifier: BSD-2-Clause
"""AUTH for the scripted upstream: PLAIN and LOGIN, and replies as told.

    upstream = scripted.Scripted(case)
    known = Passwords(upstream, {"ann@example.org": "correct horse"})
    known.final = "454 4.7.0 Temporary authentication failure"
"""
import base64
import threading


def _decoded(text):
    return base64.b64decode(text).decode("utf-8", "surrogateescape")


class Passwords:
    """What an upstream knows.

    users     {name: password}
    final     a reply, or a function(session, line) that returns one, instead
              of 235 or 535 to the credentials
    first     the same instead of the first reply to AUTH, whatever it is
    name      the same for the reply to LOGIN's user name
    attempts  (session number, mechanism, user, password) of each that came
    """

    def __init__(self, upstream, users, mechanisms="PLAIN LOGIN"):
        self.users = users
        self.final = self.first = self.name = None
        self.attempts = []
        self.open = self.most_open = 0
        self._lock = threading.Lock()
        if mechanisms:
            upstream.keywords.append("AUTH " + mechanisms)
        upstream.steps["auth"] = self

    def names(self):
        """Whom it was asked about."""
        return [attempt[2] for attempt in self.attempts]

    def __call__(self, session, line):
        with self._lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            return self._dialogue(session, line)
        finally:
            with self._lock:
                self.open -= 1

    @staticmethod
    def _act(action, session, line):
        return action(session, line) if callable(action) else action

    def _dialogue(self, session, line):
        if self.first is not None:
            return self._act(self.first, session, line)
        words = line.split()
        mechanism = words[1].upper()
        initial = words[2] if len(words) > 2 else None
        if mechanism == "PLAIN":
            if initial is None:
                session.say("334 ")
                initial = session.line()
            _, user, password = _decoded(initial).split("\0")
        else:
            if initial is None:
                session.say("334 VXNlcm5hbWU6")
                initial = session.line()
            user = _decoded(initial)
            if self.name is not None:
                return self._act(self.name, session, line)
            session.say("334 UGFzc3dvcmQ6")
            password = _decoded(session.line())
        with self._lock:
            self.attempts.append((session.number, mechanism, user, password))
        if self.final is not None:
            return self._act(self.final, session, line)
        if self.users.get(user) == password:
            return "235 2.7.0 Authentication successful"
        return "535 5.7.8 Authentication credentials invalid"
