# SPDX-License-Identifier: BSD-2-Clause
"""Run the tests where nothing they do reaches the machine, or outlives them.

Three degrees, the best that is permitted:
  full   mount and PID namespace: accounts, /dev/log and temporary files are
         ours alone, and every process ends with the run, however it ends
  mount  mount namespace only
  none   neither (an unprivileged container): the accounts come from
         libnss_wrapper when the machine lacks them, and what programs log to
         syslog goes to the machine's
"""
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from .case import Skipped

HERE = os.path.dirname(os.path.abspath(__file__))
CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
CLONE_NEWPID = 0x20000000
SIOCSIFFLAGS, SIOCSIFADDR = 0x8914, 0x8916
IFF_UP, IFF_RUNNING = 0x1, 0x40
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ACCOUNTS = ("postfix", "smmta", "smmsp", "postern")

_libc = ctypes.CDLL(None, use_errno=True)


def tool(name, *arguments):
    """Run one of our shell tools; return what it printed."""
    done = subprocess.run(
        ["/bin/sh", os.path.join(HERE, name), *arguments],
        stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name} {arguments[0]} failed: see above")
    return done.stdout.strip()


def degree():
    """Which of "full", "mount", "none" this machine permits."""
    for name, options in (("full", ["--pid", "--fork", "--mount-proc"]),
                          ("mount", [])):
        tried = subprocess.run(
            ["unshare", "--mount", *options, "mount", "--bind",
             "/etc/passwd", "/etc/passwd"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if tried.returncode == 0:
            return name
    return "none"


def _mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def _furnish(how, base, outside):
    """Inside: accounts and temporary directory; returns the latter."""
    scratch = os.path.join(base, "run")
    os.makedirs(scratch, mode=0o755, exist_ok=True)
    if how == "none":
        scratch = tempfile.mkdtemp(prefix="r", dir=scratch)
        os.chmod(scratch, 0o755)
    else:
        # the directory is gone with the namespace, whatever happens
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", scratch)
    accounts = os.path.join(scratch, "accounts")
    os.mkdir(accounts)
    tool("namespace.sh", "users", accounts)
    if how != "none":
        tool("namespace.sh", "enter", accounts, outside)
        os.environ["HARNESS_SYSLOG"] = os.path.join(accounts, "log")
    elif any(not has_account(name) for name in ACCOUNTS):
        tree = tool("packages.sh", "accounts", os.path.join(base, "deb"))
        for line in tool("namespace.sh", "wrap", accounts, tree).split("\n"):
            name, value = line.split("=", 1)
            os.environ[name] = value
    return scratch


def has_account(name):
    """Whether programs started from here know the user."""
    return subprocess.run(["id", name], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def account_id(name, option="-u"):
    """The numeric user id (or, with "-g", group id) of a user."""
    return int(subprocess.run(["id", option, name], stdout=subprocess.PIPE,
                              check=True).stdout)


def _outside_state():
    """What a run must leave as it was, read in the machine's namespace."""
    state = {}
    for path in ("/etc/passwd", "/etc/group", "/etc/hosts"):
        if os.path.exists(path):
            with open(path, "rb") as file:
                state[path] = file.read()
    for top in ("/etc/postfix", "/etc/mail", "/etc/exim4"):
        for directory, _, names in os.walk(top):
            for name in names:
                path = os.path.join(directory, name)
                about = os.lstat(path)
                state[path] = (about.st_mtime_ns, about.st_size)
    return state


def _our_mounts(base):
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        return [line for line in mounts if base + "/run" in line]


def _wait_forwarding(pid):
    """Wait for a child, passing SIGINT and SIGTERM on; its exit code."""
    def forward(number, _frame):
        os.kill(pid, number)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    _, status = os.waitpid(pid, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return os.waitstatus_to_exitcode(status)


def _end_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans():
    """From now on processes below this one whose parents end are its own."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _unshare(how):
    flags = CLONE_NEWNS | (CLONE_NEWPID if how == "full" else 0)
    if _libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")


def _inside(how, base, outside, body):
    """The process that runs the tests; never returns."""
    code = 1
    scratch = None
    try:
        adopt_orphans()
        if how != "none":
            # or what we mount would show outside
            _mount("--make-rprivate", "/")
        if how == "full":
            _mount("-t", "proc", "proc", "/proc")
        scratch = _furnish(how, base, outside)
        code = body(scratch)
    except SystemExit as error:
        print(error, file=sys.stderr)
    except BaseException:  # pylint: disable=broad-except
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if how == "none" and scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
        os._exit(code)


def need_mounts(what):
    """Skip the test where there is no mount namespace."""
    if "HARNESS_SYSLOG" not in os.environ:
        raise Skipped(f"{what} takes a mount namespace")


def own_mounts(what):
    """Give this process, a test's, a mount namespace of its own."""
    need_mounts(what)
    _unshare("mount")
    _mount("--make-rprivate", "/")


def own_network(address="192.0.2.10"):
    """Give this process, a test's, a network of its own, before anything
    listens: loopback, and an address that is not loopback's, which it
    returns.  Where that is not permitted the test is skipped."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise Skipped("an address off loopback takes a network namespace")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        def set_up(name, request, value):
            fcntl.ioctl(control, request,
                        struct.pack("16s24s", name, value))
        up = struct.pack("h", IFF_UP | IFF_RUNNING)
        set_up(b"lo", SIOCSIFFLAGS, up)
        set_up(b"lo:1", SIOCSIFADDR, struct.pack(
            "hH4s", socket.AF_INET, 0, socket.inet_aton(address)))
        set_up(b"lo:1", SIOCSIFFLAGS, up)
    return address


def _between(how, base, outside, body):
    """The process that leaves the machine's namespaces: a PID namespace
    begins with the next child.  Never returns."""
    code = 1
    try:
        _end_with_parent()
        if how != "none":
            _unshare(how)
        pid = os.fork()
        if pid == 0:
            _end_with_parent()
            _inside(how, base, outside, body)
        code = _wait_forwarding(pid)
    except BaseException:  # pylint: disable=broad-except
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code if code >= 0 else 1)


def run_inside(base, body):
    """Run body(scratch directory) in namespaces of its own, with the cache
    directory `base`; return its exit code.  SIGINT and SIGTERM are passed on
    to it.  Says so, and returns 1, if anything is different outside after."""
    how = degree()
    if how == "none":
        print("note: this machine permits no mount namespace (unshare: it "
              "takes CAP_SYS_ADMIN); going on without", file=sys.stderr)
    before = _outside_state()
    outside = os.readlink("/proc/self/ns/mnt")
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _between(how, base, outside, body)
    code = _wait_forwarding(pid)
    after = _outside_state()
    changed = [path for path in sorted(before.keys() | after.keys())
               if before.get(path) != after.get(path)]
    for what in changed + _our_mounts(base):
        print(f"FAIL isolation: left changed outside: {what}",
              file=sys.stderr)
        code = 1
    return code
