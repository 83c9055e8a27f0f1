# SPDX-License-Identifier: BSD-2-Clause
# libpostern, use cases: routes, caches, probes, verification
