/* The pack's document, embedded in the library.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BIANJING_ENTRY_H
#define BIANJING_ENTRY_H

#include <stdint.h>

/* UTF-8 JSON, `*size` bytes, not NUL-terminated; lives as long as the library. */
const uint8_t *theatre_pack_Bianjing(uint64_t *size);

#endif
