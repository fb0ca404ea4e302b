/* What reading and writing share. See wire.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef WIRE_PARTS_H
#define WIRE_PARTS_H

#include "wire.h"

/* How a value stands on the wire. */
enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, GROUP = 3, GROUP_END = 4, FIXED32 = 5 };

unsigned wire_format_of(uint8_t kind);
/* Bytes of one value of the field in a message. */
size_t wire_size_of(const wire_field *field);
/* Byte by byte: below, at or above 0. */
int wire_compare(theatre_bytes a, theatre_bytes b);
/* Sorts the entries of a map by key, keeping the last of those with the same one. False where there is no memory. */
bool wire_sort_map(wire_arena *arena, const wire_field *field, void *message);

#endif
