# SPDX-License-Identifier: BSD-2-Clause
"""Secrets where none may be: their forms, and everything that was written."""
import base64
import hashlib
import os
import threading


def shifted(octets):
    """The base64 of octets wherever in a longer text they may stand, without
    the ends that depend on their neighbours."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + octets).decode("ascii")
        yield text[(before * 8 + 5) // 6:len(text) - 4]


def forms(secret):
    """What must be nowhere."""
    octets = secret.encode("utf-8")
    found = {secret, octets.hex(), octets.hex().upper(),
             repr(secret)[1:-1], secret.replace("\\", "\\\\"),
             secret.replace('"', '\\"'), secret[:9], secret[-9:]}
    found.update(shifted(octets))
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, octets)
        found.update((digest.hexdigest(),
                      base64.b64encode(digest.digest()).decode("ascii")))
    return found


def written(case, texts):
    """{where: text} of all that was written, but for what upstreams and
    scripts of the test note themselves."""
    found = dict(texts)
    for top, _, names in os.walk(case.dir):
        for name in names:
            path = os.path.join(top, name)
            if (os.path.islink(path) or not os.path.isfile(path)
                    or not (name == "log" or name.endswith(".log")
                            or "/authd" in path or "/queue/" in path
                            or name.startswith("core"))):
                continue
            with open(path, encoding="latin-1") as file:
                found[os.path.relpath(path, case.dir)] = file.read()
    return found


class Watch:
    """Command lines and environments of all processes, while it goes on."""

    def __init__(self):
        self.seen = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.wait(0.05):
            for entry in os.listdir("/proc"):
                if not entry.isdigit() or int(entry) == os.getpid():
                    continue
                for name in ("cmdline", "environ"):
                    try:
                        with open(f"/proc/{entry}/{name}", "rb") as file:
                            self.seen.add(file.read().decode("latin-1"))
                    except OSError:
                        pass

    def stop(self):
        """What was seen."""
        self._over.set()
        self._thread.join()
        return "\n".join(self.seen)


def memory_of(pid):
    """What a process has in memory that it may write to."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            span, mode, *_ = line.split()
            if "rw" not in mode:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                found.append(memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                pass
    return b"".join(found)
