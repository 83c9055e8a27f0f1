# SPDX-License-Identifier: BSD-2-Clause
"""fail2ban, unpacked: whom it would shut out after reading a log.  Neither
its server nor any action is ever started."""
import glob
import os
import shutil
import sys

from . import packages
from .case import check

_DIST = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "..", "..", "..", "dist", "fail2ban")


class Fail2ban:
    """Its own configuration, and what dist/fail2ban adds."""

    def __init__(self, case):
        self._case = case
        self._tree = packages.tree("fail2ban")
        self.etc = case.path("fail2ban")
        shutil.copytree(os.path.join(self._tree, "etc/fail2ban"), self.etc)
        for path in glob.glob(os.path.join(_DIST, "*.d", "*.conf")):
            shutil.copy(path, os.path.join(
                self.etc, os.path.basename(os.path.dirname(path))))

    def _run(self, program, *arguments):
        modules = os.path.join(self._tree, "usr/lib/python3/dist-packages")
        done = self._case.run(
            ["env", f"PYTHONPATH={modules}", "PYTHONDONTWRITEBYTECODE=1",
             sys.executable, os.path.join(self._tree, "usr/bin", program),
             "-c", self.etc, *arguments])
        check(done.returncode == 0,
              f"{program} {arguments}: {done.stdout} {done.stderr}")
        return done.stdout

    def matches(self, lines, name, *options):
        """The addresses that a filter finds in log lines, each as often as
        it is there."""
        log = self._case.path("fail2ban.lines")
        with open(log, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        return self._run("fail2ban-regex", "-o", "ip", *options, log,
                         name).split()

    def jail(self, name):
        """What its server would be told to do for a jail, as a text."""
        for path in ("jail.d/defaults-debian.conf", "jail.local"):
            path = os.path.join(self.etc, path)
            if os.path.exists(path):
                os.unlink(path)
        told = self._run("fail2ban-client", "-d")
        return "\n".join(line for line in told.splitlines()
                         if f"'{name}'" in line)
