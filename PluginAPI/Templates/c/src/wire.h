/* Protobuf's wire format, driven by tables: the messages of this plugin's contract are in messages.h.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Decoding trusts nothing: every length is checked, messages nest at most WIRE_DEPTH deep, and all that one decode allocates
 * is bounded by its arena. Unknown fields are skipped. Strings and bytes are not copied: they point into the bytes that were
 * decoded and live as long as those; everything else lives in the arena.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "theatre_plugin.h"

/* Messages within messages, the outermost counted. */
#define WIRE_DEPTH 100
/* Bytes that one arena hands out, unless its `limit` says otherwise. */
#define WIRE_ARENA_LIMIT (64u << 20)

typedef enum wire_kind {
    WIRE_INT32, WIRE_INT64, WIRE_UINT32, WIRE_UINT64, WIRE_SINT32, WIRE_SINT64, WIRE_BOOL, WIRE_ENUM,
    WIRE_FIXED32, WIRE_SFIXED32, WIRE_FLOAT, WIRE_FIXED64, WIRE_SFIXED64, WIRE_DOUBLE,
    WIRE_STRING, WIRE_BYTES, WIRE_MESSAGE
} wire_kind;

typedef enum wire_label {
    WIRE_SINGLE,   /* absent when it is zero, empty or null */
    WIRE_OPTIONAL, /* absent unless the bool at `mark` says that it is there */
    WIRE_ONEOF,    /* there when the uint32_t at `mark` is its number */
    WIRE_REPEATED, /* a pointer, and a size_t at `mark` */
    WIRE_MAP,      /* the same, of entries with a key and a value; one entry a key */
    WIRE_ALWAYS    /* key and value of an entry */
} wire_label;

typedef struct wire_type wire_type;

typedef struct wire_field {
    uint32_t number, offset, mark;
    uint8_t kind, label;
    const wire_type *type; /* of WIRE_MESSAGE and WIRE_MAP */
} wire_field;

/* A message: its fields in order of number. */
struct wire_type {
    const char *name;
    const wire_field *fields;
    uint32_t count, size;
};

/* Memory that is freed at once. Start with {0}. */
typedef struct wire_arena {
    struct wire_block *blocks;
    size_t used, limit;
} wire_arena;

/* Zeroed memory, or null. */
void *wire_allocate(wire_arena *arena, size_t size);
void wire_free(wire_arena *arena);

/* Fills *message, which begins zeroed. False where the bytes are no message of that type, or there is no memory. */
bool wire_decode(const wire_type *type, theatre_bytes bytes, void *message, wire_arena *arena);

/* Bytes that grow. Start with {0}; free(data) at the end. */
typedef struct wire_buffer {
    uint8_t *data;
    size_t size, capacity;
    bool failed; /* there was no memory */
} wire_buffer;

/* Appends *message. False where there is no memory. */
bool wire_encode(const wire_type *type, const void *message, wire_buffer *buffer);

/* Bytes of a string literal, or of any NUL-terminated text. */
theatre_bytes wire_text(const char *text);
bool wire_equal(theatre_bytes a, theatre_bytes b);

#endif
