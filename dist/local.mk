# SPDX-License-Identifier: BSD-2-Clause
# units and sample configurations
