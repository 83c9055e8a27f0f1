# SPDX-License-Identifier: BSD-2-Clause
# dialogues with a scripted upstream
