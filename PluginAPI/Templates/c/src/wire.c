/* See wire.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wire_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct wire_block {
    struct wire_block *next;
    size_t used, capacity;
    max_align_t memory[];
} wire_block;

void *wire_allocate(wire_arena *arena, size_t size) {
    size_t limit = arena->limit ? arena->limit : WIRE_ARENA_LIMIT;
    if (size > limit || arena->used > limit - size) return NULL;
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    wire_block *block = arena->blocks;
    if (!block || block->capacity - block->used < size) {
        size_t capacity = size > 1024 ? size : 1024;
        block = malloc(sizeof *block + capacity);
        if (!block) return NULL;
        *block = (wire_block){.next = arena->blocks, .capacity = capacity};
        arena->blocks = block;
    }
    void *result = (uint8_t *)block->memory + block->used;
    block->used += size;
    arena->used += size;
    return memset(result, 0, size);
}

void wire_free(wire_arena *arena) {
    for (wire_block *block = arena->blocks; block;) {
        wire_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (wire_arena){.limit = arena->limit};
}

theatre_bytes wire_text(const char *text) { return (theatre_bytes){(const uint8_t *)text, strlen(text)}; }

int wire_compare(theatre_bytes a, theatre_bytes b) {
    uint64_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool wire_equal(theatre_bytes a, theatre_bytes b) { return wire_compare(a, b) == 0; }

unsigned wire_format_of(uint8_t kind) {
    return kind <= WIRE_ENUM ? VARINT : kind <= WIRE_FLOAT ? FIXED32 : kind <= WIRE_DOUBLE ? FIXED64 : LENGTH;
}

size_t wire_size_of(const wire_field *field) {
    switch (field->kind) {
    case WIRE_BOOL: return sizeof(bool);
    case WIRE_INT64: case WIRE_UINT64: case WIRE_SINT64: case WIRE_FIXED64: case WIRE_SFIXED64: case WIRE_DOUBLE: return 8;
    case WIRE_STRING: case WIRE_BYTES: return sizeof(theatre_bytes);
    case WIRE_MESSAGE: return field->label == WIRE_MAP || field->label == WIRE_REPEATED ? field->type->size : sizeof(void *);
    default: return 4;
    }
}
