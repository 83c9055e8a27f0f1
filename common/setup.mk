# SPDX-License-Identifier: BSD-2-Clause
# libpostern, set-up: configuration and locks
