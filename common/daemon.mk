# SPDX-License-Identifier: BSD-2-Clause
# libdaemon: what a long-running program needs, and nothing else does
