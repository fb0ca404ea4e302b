/* Measures of the process and memory with edges, for the validator.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VALIDATOR_MEMORY_H
#define VALIDATOR_MEMORY_H

#include <stdint.h>

/* Bytes that the C heap has handed out, in all arenas. */
uint64_t validator_heap_in_use(void);

/* What a signal does: the handler's address, 0 for the default, 1 where it is ignored. */
uint64_t validator_signal_handler(int32_t signal);

/* `size` bytes that end where a page begins that nobody may touch; null where there is no memory. *base and *length
 * are the mapping. */
void *validator_guarded(uint64_t size, void **base, uint64_t *length);

/* Takes every right to a mapping away: whoever still reads it ends with SIGSEGV. */
void validator_revoke(void *base, uint64_t length);

/* Gives a mapping back. */
void validator_release(void *base, uint64_t length);

/* No core files, and end with the process that started this one. */
void validator_child_limits(void);

/* A pipe whose ends no other child gets; 0, or -1. */
int32_t validator_pipe(int32_t ends[2]);

/* How many bytes the file of a descriptor has; 0 where it is no file. */
int64_t validator_file_size(int32_t descriptor);

/* 1 where this program itself defines the symbol, as no library should need; else 0. */
int32_t validator_defines(const char *name);

#endif
