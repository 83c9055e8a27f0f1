/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz - what a fuzz target provides
 *
 * libFuzzer calls it with octets it made up, replay.c with each file of the
 * target's corpus. Either way a target fails by crashing: abort() and the
 * sanitizers count.
 */
#ifndef POSTERN_TESTS_FUZZ_FUZZ_H
#define POSTERN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * LLVMFuzzerTestOneInput(data, size): run the code under test once.
 *
 *   data  the octets; neither NUL-terminated nor kept after return
 *   size  octets at data, possibly 0
 *
 * Returns 0, always: libFuzzer reserves the other values.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* POSTERN_TESTS_FUZZ_FUZZ_H */
