# SPDX-License-Identifier: BSD-2-Clause
# the milter, driven by miltertest
