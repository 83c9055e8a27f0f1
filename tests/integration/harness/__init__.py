# SPDX-License-Identifier: BSD-2-Clause
"""Private Postfix and Sendmail instances, and what else the tests talk to.

packages.sh, namespace.sh and postfix.sh hold what ./quickstart shares with
these tests; the Python modules put them to use, one test at a time.
"""
