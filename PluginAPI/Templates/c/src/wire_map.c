/* Maps. See wire.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wire_parts.h"

#include <string.h>

static int compare_keys(const wire_field *key, const uint8_t *a, const uint8_t *b) {
    a += key->offset, b += key->offset;
#define ORDER(type) (*(const type *)a > *(const type *)b) - (*(const type *)a < *(const type *)b)
    switch (key->kind) {
    case WIRE_STRING: return wire_compare(*(const theatre_bytes *)a, *(const theatre_bytes *)b);
    case WIRE_BOOL: return ORDER(bool);
    case WIRE_INT32: case WIRE_SINT32: case WIRE_SFIXED32: return ORDER(int32_t);
    case WIRE_UINT32: case WIRE_FIXED32: return ORDER(uint32_t);
    case WIRE_INT64: case WIRE_SINT64: case WIRE_SFIXED64: return ORDER(int64_t);
    default: return ORDER(uint64_t);
    }
#undef ORDER
}

/* A stable merge sort. */
bool wire_sort_map(wire_arena *arena, const wire_field *field, void *message) {
    uint8_t **entries = (void *)((uint8_t *)message + field->offset), *from = *entries;
    size_t *count = (void *)((uint8_t *)message + field->mark), n = *count, size = field->type->size;
    const wire_field *key = &field->type->fields[0];
    if (n < 2) return true;
    size_t capacity = 4;
    while (capacity < n) capacity *= 2;
    uint8_t *to = wire_allocate(arena, capacity * size);
    if (!to) return false;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t middle = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
            for (size_t a = start, b = middle, i = start; i < end; i++) {
                bool left = a < middle && (b == end || compare_keys(key, from + a * size, from + b * size) <= 0);
                memcpy(to + i * size, from + (left ? a++ : b++) * size, size);
            }
        }
        uint8_t *swap = from;
        from = to, to = swap;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && compare_keys(key, from + i * size, from + (i + 1) * size) == 0) continue;
        memmove(from + kept++ * size, from + i * size, size);
    }
    *entries = from;
    *count = kept;
    return true;
}
