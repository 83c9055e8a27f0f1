# SPDX-License-Identifier: BSD-2-Clause
"""What an MTA's Cyrus SASL reads: plug-ins, and the files that set them up."""
import glob
import os
import shutil

from . import packages
from .case import check

# the documented recipe
RECIPE = "postern_socket: postern/auth\nmech_list: PLAIN LOGIN\n"


def tree_plugins(case):
    """The directory of the stock plug-ins."""
    found = glob.glob(os.path.join(case.tree("sasl"), "usr/lib/*/sasl2"))
    check(len(found) == 1, f"plug-in directories: {found}")
    return found[0]


def only_ours(case):
    """A directory with libpostern.so alone."""
    directory = case.path("sasl2-alone")
    os.makedirs(directory, mode=0o755, exist_ok=True)
    library = os.path.join(case.build, "saslauth-plugin/.libs",
                           "libpostern.so")
    check(os.path.exists(library), f"there is no {library}")
    shutil.copy(library, directory)
    return directory


def plugins(case, ours=True):
    """A directory with the stock plug-ins and, if wished, libpostern.so; one
    a test."""
    directory = case.path("sasl2-ours" if ours else "sasl2")
    if os.path.isdir(directory):
        return directory
    os.mkdir(directory, 0o755)
    for path in glob.glob(os.path.join(tree_plugins(case), "*.so")):
        shutil.copy(path, directory)
    if ours:
        shutil.copy(os.path.join(only_ours(case), "libpostern.so"), directory)
    return directory


def program(case, name, *arguments, text=""):
    """Run one of Cyrus SASL's own programs."""
    tree = case.tree("sasl")
    return case.run(
        [os.path.join(tree, "usr/sbin", name), *arguments], text,
        env={"LD_LIBRARY_PATH": packages.library_path(tree),
             "SASL_PATH": tree_plugins(case)})


def sasldb(case, path, users):
    """Make a database of users; {name with domain: password}."""
    for name, password in users.items():
        local, _, realm = name.rpartition("@")
        done = program(case, "saslpasswd2", "-p", "-f", path, "-c",
                       "-u", realm, local, text=password)
        check(done.returncode == 0, f"saslpasswd2: {done.stderr}")
