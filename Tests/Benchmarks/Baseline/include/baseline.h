/* The bare equivalent of a call in C.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASELINE_H
#define BASELINE_H
#include <stddef.h>
#include <stdint.h>

/* Calls a function that allocates `size` bytes, copies `data` into them and frees them, `count` times through a
 * function pointer; a sum of what was copied. */
uint64_t baseline_calls(const uint8_t *data, size_t size, uint64_t count);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t baseline_now(void);

/* 1 where a folder is on a disk, 0 where it lives in memory, or is none. */
int baseline_is_on_disk(const char *folder);

/* Nanoseconds a call between two processes over a socket pair, `window` calls of `size` bytes under way at any time: each
 * frame has a header that is read and checked, each payload is copied to where it is wanted, and whatever came of one read
 * goes out in one system call. 0 where it cannot be measured. */
double baseline_ping_pong(size_t size, size_t window, size_t count);

#endif
