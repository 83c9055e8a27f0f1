# SPDX-License-Identifier: BSD-2-Clause
"""postern-authd from the build directory, and what tests ask of its log."""
import os
import shutil

from . import namespace
from .daemon import Daemon, socket_directory

_SOCKETS = """
authd {{
    socket = {{"unix:{socket}"}}
    saslauthd_socket = {{"unix:{mux}"}}
    socketmap_socket = {{"unix:{outbound}"}}
    control = "unix:{control}"
    state_directory = "{state}"
}}
allow_users = {{"{user}"}}
"""


class Authd(Daemon):
    """path: the plug-in's socket, mux: the one for saslauthd's protocol,
    outbound: the one for socketmap's."""

    program = "saslauth-plugin/postern-authd"

    def __init__(self, case, conf, queue=None, user="postfix", start=True,
                 name=None):
        """conf: postern.conf behind the settings that every test needs.  The
        sockets are made below a Postfix queue directory, or in a directory
        that all can enter (for Sendmail), for the account `user`.  name:
        that of this daemon and its socket, where there are several."""
        super().__init__(case, name or "authd")
        if queue is not None:
            directory = socket_directory(queue)
        else:
            directory = case.path("authd-sockets")
            os.mkdir(directory, 0o755)
            shutil.chown(directory, namespace.account_id("postern"))
        self.path = os.path.join(directory, name or "auth")
        self.mux = os.path.join(directory, name + ".mux" if name else "mux")
        self.outbound = os.path.join(
            directory, name + ".outbound" if name else "outbound")
        self.control = os.path.join(self.dir, "authd.ctl")
        self.sockets = _SOCKETS.format(socket=self.path, mux=self.mux,
                                       outbound=self.outbound,
                                       control=self.control, user=user,
                                       state=self.dir)
        self._wanted = []
        self.configure(conf)
        if start:
            self.start()

    def configure(self, conf):
        """Write postern.conf anew (and do nothing else)."""
        super().configure(conf)
        # it makes the sockets of what it is configured to do
        words = conf.lower()
        self._wanted = [self.control]
        if "smtp_auth_proxy" in words:
            self._wanted += [self.path, self.mux]
        if "outbound_smtp_auth" in words or "binding" in words:
            self._wanted.append(self.outbound)

    def ready(self):
        """Whether all its sockets are there."""
        return all(self.listens(path) for path in self._wanted)

    def command(self, *arguments):
        """One of posternctl's commands that are about a daemon: this one."""
        return self.posternctl("-d", "authd", *arguments)

    def auth_line(self, user, *parts):
        """The last decision about a user, as {key: value}."""
        return self.decision("auth: ", f"user=<{user}>", *parts)
