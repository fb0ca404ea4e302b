/* Images of plugins: sealed memory, and what is really mapped.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_IMAGE_H
#define THEATRE_IMAGE_H

#include <stdint.h>

/* Puts `size` bytes into a memory file that can no longer change, and returns its descriptor, or -errno. The caller
 * never closes it: the loader knows images by the descriptor's number. */
int theatre_image_seal(const char *name, const uint8_t *data, uint64_t size);

/* Copies the GNU build id of the image that maps `address` into `buffer` and returns its length, or 0. */
uint64_t theatre_image_build_id(const void *address, uint8_t *buffer, uint64_t capacity);

#endif
