# SPDX-License-Identifier: BSD-2-Clause
# libpostern, I/O: dialling, TLS, sessions, data sources
