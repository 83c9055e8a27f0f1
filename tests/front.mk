# SPDX-License-Identifier: BSD-2-Clause
# postern-front, between a client, a small MTA and a small milter

TESTS += tests/front/test_passing.py
EXTRA_DIST += tests/front/rig.py tests/front/test_passing.py
