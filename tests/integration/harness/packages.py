# SPDX-License-Identifier: BSD-2-Clause
"""The MTAs' packages, unpacked; kept from run to run."""
import os
import shutil

from . import namespace


TREES = ("postfix", "sendmail", "dovecot", "sasl", "fail2ban")


def cache():
    """The directory that is kept between runs."""
    return os.environ.get("POSTERN_CACHE", "/var/cache/postern-tests")


def tree(mta):
    """Where one of TREES is unpacked; does so when needed."""
    return namespace.tool("packages.sh", mta, os.path.join(cache(), "deb"))


def library_path(mta_tree):
    """LD_LIBRARY_PATH for the programs of a tree."""
    with open(os.path.join(mta_tree, "libpath"), encoding="ascii") as file:
        return file.read()


def clean():
    """Forget everything that is kept."""
    shutil.rmtree(cache(), ignore_errors=True)
