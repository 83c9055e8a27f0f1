/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome - how something that can fail has ended
 *
 * The one result type of this tree. It states a fact; what a client is told
 * about it is policy and decided elsewhere. Zero is the safe value: memory
 * that nobody filled in says "cannot tell", never "fine" and never "refused".
 */
#ifndef POSTERN_COMMON_OUTCOME_H
#define POSTERN_COMMON_OUTCOME_H

enum outcome {
	OUTCOME_TEMP = 0, /* network, 4yz, look-up down, out of memory */
	OUTCOME_OK,       /* done */
	OUTCOME_PERM      /* 5yz, bad address, bad configuration */
};

#endif /* POSTERN_COMMON_OUTCOME_H */
