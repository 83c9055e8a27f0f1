# SPDX-License-Identifier: BSD-2-Clause
# benchmarks; built by hand, never part of make check
