# SPDX-License-Identifier: BSD-2-Clause
# checks that only read the sources
