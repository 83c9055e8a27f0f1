# SPDX-License-Identifier: BSD-2-Clause
"""One running test: its directory, its processes, its expectations."""
import os
import signal
import subprocess
import time


class Failure(AssertionError):
    """An expectation that was not met."""


class Skipped(Exception):
    """The test cannot be made here, for that reason."""


def check(condition, why):
    """Fail with `why` unless the condition holds."""
    if not condition:
        raise Failure(why)


def equal(got, want, what):
    """Fail unless got == want."""
    check(got == want, f"{what}: got {got!r}, want {want!r}")


def contains(text, part, what):
    """Fail unless `part` is in `text`."""
    check(part in text, f"{what}: no {part!r} in {text!r}")


def wait_for(condition, what, seconds=60.0, pause=0.02):
    """Poll until condition() is true; return its value.  The limit is for
    what never comes: a busy machine may take its time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, f"waited {seconds:g} s for {what}")
        time.sleep(pause)


class Child:
    """A process of the test's own, its output in a log file."""

    def __init__(self, name, argv, log, env=None):
        self.name = name
        self.log_path = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **(env or {})})
        self.pid = self.process.pid

    def running(self):
        """Whether it has not ended."""
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, seconds=60.0):
        """Its exit code (negative: the signal that ended it)."""
        return self.process.wait(seconds)

    def stop(self, seconds=60.0):
        """SIGTERM, then SIGKILL; returns the exit code."""
        if self.running():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def end(self):
        """SIGKILL, and be sure that it is gone."""
        if self.running():
            self.process.kill()
        self.process.wait()

    def log(self):
        """What it has written so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()


class Case:
    """What a test function is given.

    dir     a directory of its own, readable by all users; each `log` or
            `*.log` below it is shown when the test fails
    build   the build directory under test
    """

    def __init__(self, name, directory, build, trees):
        self.name = name
        self.dir = directory
        self.build = build
        self._trees = trees
        self._cleanups = []

    def path(self, *parts):
        """A path in the test's directory."""
        return os.path.join(self.dir, *parts)

    def write(self, name, text, mode=0o644):
        """Write a file in the test's directory; returns its path."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def tree(self, mta):
        """Where the MTA's packages are unpacked."""
        return self._trees[mta]

    def cleanup(self, function):
        """Call function() when the test is over, last come first."""
        self._cleanups.append(function)

    def start(self, name, argv, env=None, log=None, at_end=Child.stop):
        """Start a process that ends with the test, by at_end(child)."""
        child = Child(name, argv, log or self.path(name + ".log"), env)
        self.cleanup(lambda: at_end(child))
        return child

    def run(self, argv, text="", env=None, seconds=120.0):
        """Run a program to its end; returns subprocess.CompletedProcess."""
        return subprocess.run(
            argv, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=seconds, check=False,
            env={**os.environ, **(env or {})})

    def close(self):
        """End everything that the test started."""
        while self._cleanups:
            self._cleanups.pop()()
