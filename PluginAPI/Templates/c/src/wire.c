/* See wire.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ memory */

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

static int compare(theatre_bytes a, theatre_bytes b) {
    uint64_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool wire_equal(theatre_bytes a, theatre_bytes b) { return compare(a, b) == 0; }

/* ------------------------------------------------------------------------------------------------ kinds */

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, GROUP = 3, GROUP_END = 4, FIXED32 = 5 };

static unsigned format_of(uint8_t kind) {
    return kind <= WIRE_ENUM ? VARINT : kind <= WIRE_FLOAT ? FIXED32 : kind <= WIRE_DOUBLE ? FIXED64 : LENGTH;
}

static size_t size_of(const wire_field *field) {
    switch (field->kind) {
    case WIRE_BOOL: return sizeof(bool);
    case WIRE_INT64: case WIRE_UINT64: case WIRE_SINT64: case WIRE_FIXED64: case WIRE_SFIXED64: case WIRE_DOUBLE: return 8;
    case WIRE_STRING: case WIRE_BYTES: return sizeof(theatre_bytes);
    case WIRE_MESSAGE: return field->label == WIRE_MAP || field->label == WIRE_REPEATED ? field->type->size : sizeof(void *);
    default: return 4;
    }
}

/* ------------------------------------------------------------------------------------------------ reading */

typedef struct reader {
    const uint8_t *at, *end;
    wire_arena *arena;
    unsigned depth;
} reader;

static bool read_varint(reader *in, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (in->at == in->end) return false;
        uint8_t byte = *in->at++;
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool read_fixed(reader *in, size_t size, uint64_t *value) {
    if ((size_t)(in->end - in->at) < size) return false;
    *value = 0;
    memcpy(value, in->at, size);
    in->at += size;
    return true;
}

static bool read_bytes(reader *in, theatre_bytes *bytes) {
    uint64_t size;
    if (!read_varint(in, &size) || size > (uint64_t)(in->end - in->at)) return false;
    *bytes = (theatre_bytes){in->at, size};
    in->at += size;
    return true;
}

static bool read_tag(reader *in, uint32_t *number, unsigned *format) {
    uint64_t tag;
    if (!read_varint(in, &tag) || tag >= UINT32_MAX || tag >> 3 == 0 || (tag & 7) > FIXED32) return false;
    *number = (uint32_t)(tag >> 3);
    *format = (unsigned)(tag & 7);
    return true;
}

static bool skip(reader *in, uint32_t number, unsigned format) {
    uint64_t value;
    theatre_bytes bytes;
    switch (format) {
    case VARINT: return read_varint(in, &value);
    case FIXED64: return read_fixed(in, 8, &value);
    case LENGTH: return read_bytes(in, &bytes);
    case FIXED32: return read_fixed(in, 4, &value);
    case GROUP: break;
    default: return false;
    }
    if (in->depth == 0) return false;
    in->depth--;
    for (;;) {
        uint32_t inner;
        if (!read_tag(in, &inner, &format)) return false;
        if (format == GROUP_END) {
            in->depth++;
            return inner == number;
        }
        if (!skip(in, inner, format)) return false;
    }
}

static bool is_utf8(theatre_bytes text) {
    const uint8_t *at = text.data, *end = at + text.size;
    while (at < end) {
        uint8_t first = *at++;
        if (first < 0x80) continue;
        unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        if (first < 0xC2 || first > 0xF4 || (size_t)(end - at) < more) return false;
        uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (*at < low || *at > high) return false;
        for (at++; more > 1; more--, at++)
            if ((*at & 0xC0) != 0x80) return false;
    }
    return true;
}

static bool read_message(reader *in, const wire_type *type, theatre_bytes bytes, void *message);

static int32_t zigzag32(uint32_t value) { return (int32_t)(value >> 1 ^ (0u - (value & 1))); }
static int64_t zigzag64(uint64_t value) { return (int64_t)(value >> 1 ^ (0ull - (value & 1))); }

/* One value of the field's kind into its place. */
static bool read_value(reader *in, const wire_field *field, void *place) {
    uint64_t number = 0;
    theatre_bytes bytes;
    switch (format_of(field->kind)) {
    case VARINT: if (!read_varint(in, &number)) return false; break;
    case FIXED32: if (!read_fixed(in, 4, &number)) return false; break;
    case FIXED64: if (!read_fixed(in, 8, &number)) return false; break;
    default: if (!read_bytes(in, &bytes)) return false;
    }
    switch (field->kind) {
    case WIRE_BOOL: *(bool *)place = number != 0; return true;
    case WIRE_SINT32: *(int32_t *)place = zigzag32((uint32_t)number); return true;
    case WIRE_SINT64: *(int64_t *)place = zigzag64(number); return true;
    case WIRE_STRING:
        if (!is_utf8(bytes)) return false;
        /* fall through */
    case WIRE_BYTES: *(theatre_bytes *)place = bytes; return true;
    case WIRE_MESSAGE: {
        void **message = place;
        if (!*message && !(*message = wire_allocate(in->arena, field->type->size))) return false;
        return read_message(in, field->type, bytes, *message);
    }
    default: memcpy(place, &number, size_of(field)); return true;
    }
}

/* A place for one more element. The capacity is the power of two that holds the count. */
static void *append(reader *in, const wire_field *field, void *message) {
    uint8_t **elements = (void *)((uint8_t *)message + field->offset);
    size_t *count = (void *)((uint8_t *)message + field->mark), size = size_of(field);
    if ((*count & (*count - 1)) == 0 && (*count == 0 || *count >= 4)) {
        void *grown = wire_allocate(in->arena, (*count ? *count * 2 : 4) * size);
        if (!grown) return NULL;
        if (*count) memcpy(grown, *elements, *count * size);
        *elements = grown;
    }
    void *place = *elements + (*count)++ * size;
    return memset(place, 0, size);
}

static bool read_repeated(reader *in, const wire_field *field, unsigned format, void *message) {
    if (field->kind == WIRE_MESSAGE) {
        theatre_bytes bytes;
        if (!read_bytes(in, &bytes)) return false;
        void *place = append(in, field, message);
        if (!place) return false;
        /* An entry of a map is no level of its own. */
        if (field->label == WIRE_MAP) in->depth++;
        bool done = read_message(in, field->type, bytes, place);
        if (field->label == WIRE_MAP) in->depth--;
        return done;
    }
    if (format == format_of(field->kind)) {
        void *place = append(in, field, message);
        return place && read_value(in, field, place);
    }
    theatre_bytes packed;
    if (!read_bytes(in, &packed)) return false;
    reader inner = {.at = packed.data, .end = packed.data + packed.size, .arena = in->arena, .depth = in->depth};
    while (inner.at < inner.end) {
        void *place = append(&inner, field, message);
        if (!place || !read_value(&inner, field, place)) return false;
    }
    return true;
}

static bool takes(const wire_field *field, unsigned format) {
    unsigned own = format_of(field->kind);
    return format == own || (field->label == WIRE_REPEATED && format == LENGTH && own != LENGTH);
}

static bool read_field(reader *in, const wire_field *field, unsigned format, void *message) {
    uint8_t *base = message;
    switch (field->label) {
    case WIRE_REPEATED: case WIRE_MAP: return read_repeated(in, field, format, message);
    case WIRE_OPTIONAL: *(bool *)(base + field->mark) = true; break;
    case WIRE_ONEOF:
        if (*(uint32_t *)(base + field->mark) != field->number) memset(base + field->offset, 0, size_of(field));
        *(uint32_t *)(base + field->mark) = field->number;
    }
    return read_value(in, field, base + field->offset);
}

static bool sort_map(reader *in, const wire_field *field, void *message);

static bool read_message(reader *in, const wire_type *type, theatre_bytes bytes, void *message) {
    if (in->depth == 0) return false;
    reader inner = {.at = bytes.data, .end = bytes.data + bytes.size, .arena = in->arena, .depth = in->depth - 1};
    bool has_map = false;
    while (inner.at < inner.end) {
        uint32_t number;
        unsigned format;
        if (!read_tag(&inner, &number, &format)) return false;
        uint32_t low = 0, high = type->count;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (type->fields[middle].number < number) low = middle + 1; else high = middle;
        }
        const wire_field *field = low < type->count && type->fields[low].number == number ? &type->fields[low] : NULL;
        if (field && takes(field, format)) {
            if (!read_field(&inner, field, format, message)) return false;
            has_map |= field->label == WIRE_MAP;
        } else if (!skip(&inner, number, format)) {
            return false;
        }
    }
    /* The value of an entry is there even where its bytes leave it out. */
    for (uint32_t i = 0; i < type->count; i++) {
        const wire_field *field = &type->fields[i];
        void **value = (void *)((uint8_t *)message + field->offset);
        if (field->label == WIRE_ALWAYS && field->kind == WIRE_MESSAGE && !*value &&
            !(*value = wire_allocate(in->arena, field->type->size)))
            return false;
        if (has_map && field->label == WIRE_MAP && !sort_map(&inner, field, message)) return false;
    }
    return true;
}

bool wire_decode(const wire_type *type, theatre_bytes bytes, void *message, wire_arena *arena) {
    reader in = {.arena = arena, .depth = WIRE_DEPTH};
    return read_message(&in, type, bytes, message);
}

/* ------------------------------------------------------------------------------------------------ maps */

static int compare_keys(const wire_field *key, const uint8_t *a, const uint8_t *b) {
    a += key->offset, b += key->offset;
#define ORDER(type) (*(const type *)a > *(const type *)b) - (*(const type *)a < *(const type *)b)
    switch (key->kind) {
    case WIRE_STRING: return compare(*(const theatre_bytes *)a, *(const theatre_bytes *)b);
    case WIRE_BOOL: return ORDER(bool);
    case WIRE_INT32: case WIRE_SINT32: case WIRE_SFIXED32: return ORDER(int32_t);
    case WIRE_UINT32: case WIRE_FIXED32: return ORDER(uint32_t);
    case WIRE_INT64: case WIRE_SINT64: case WIRE_SFIXED64: return ORDER(int64_t);
    default: return ORDER(uint64_t);
    }
#undef ORDER
}

/* Sorts the entries by key, keeping the last of those with the same one: a stable merge sort. */
static bool sort_map(reader *in, const wire_field *field, void *message) {
    uint8_t **entries = (void *)((uint8_t *)message + field->offset), *from = *entries;
    size_t *count = (void *)((uint8_t *)message + field->mark), n = *count, size = field->type->size;
    const wire_field *key = &field->type->fields[0];
    if (n < 2) return true;
    size_t capacity = 4;
    while (capacity < n) capacity *= 2;
    uint8_t *to = wire_allocate(in->arena, capacity * size);
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

/* ------------------------------------------------------------------------------------------------ writing */

static uint8_t *grow(wire_buffer *out, size_t size) {
    if (out->failed) return NULL;
    if (out->capacity - out->size < size) {
        size_t capacity = out->capacity * 2 > out->size + size ? out->capacity * 2 : out->size + size + 64;
        uint8_t *data = realloc(out->data, capacity);
        if (!data) {
            out->failed = true;
            return NULL;
        }
        out->data = data;
        out->capacity = capacity;
    }
    out->size += size;
    return out->data + out->size - size;
}

static void put(wire_buffer *out, const void *bytes, size_t size) {
    uint8_t *place = size ? grow(out, size) : NULL;
    if (place) memcpy(place, bytes, size);
}

static size_t varint(uint64_t value, uint8_t bytes[10]) {
    size_t size = 0;
    for (; value > 0x7F; value >>= 7) bytes[size++] = (uint8_t)(value | 0x80);
    bytes[size++] = (uint8_t)value;
    return size;
}

static void put_varint(wire_buffer *out, uint64_t value) {
    uint8_t bytes[10];
    put(out, bytes, varint(value, bytes));
}

static void put_tag(wire_buffer *out, uint32_t number, unsigned format) { put_varint(out, (uint64_t)number << 3 | format); }

/* Puts the length of what was written since `start` before it. */
static void put_length(wire_buffer *out, size_t start) {
    if (out->failed) return;
    uint8_t bytes[10];
    size_t length = out->size - start, size = varint(length, bytes);
    if (!grow(out, size)) return;
    memmove(out->data + start + size, out->data + start, length);
    memcpy(out->data + start, bytes, size);
}

static void put_message(wire_buffer *out, const wire_type *type, const void *message);

static void put_value(wire_buffer *out, const wire_field *field, const void *place) {
    switch (field->kind) {
    case WIRE_BOOL: put_varint(out, *(const bool *)place); break;
    case WIRE_INT32: case WIRE_ENUM: put_varint(out, (uint64_t)(int64_t)*(const int32_t *)place); break;
    case WIRE_UINT32: put_varint(out, *(const uint32_t *)place); break;
    case WIRE_INT64: case WIRE_UINT64: put_varint(out, *(const uint64_t *)place); break;
    case WIRE_SINT32: {
        uint32_t value = *(const uint32_t *)place;
        put_varint(out, value << 1 ^ (0u - (value >> 31)));
        break;
    }
    case WIRE_SINT64: {
        uint64_t value = *(const uint64_t *)place;
        put_varint(out, value << 1 ^ (0ull - (value >> 63)));
        break;
    }
    case WIRE_STRING: case WIRE_BYTES: {
        const theatre_bytes *bytes = place;
        put_varint(out, bytes->size);
        put(out, bytes->data, bytes->size);
        break;
    }
    default: put(out, place, size_of(field));
    }
}

static void put_nested(wire_buffer *out, const wire_type *type, const void *message) {
    size_t start = out->size;
    if (message) put_message(out, type, message);
    put_length(out, start);
}

static void put_repeated(wire_buffer *out, const wire_field *field, const uint8_t *message) {
    const uint8_t *elements = *(const uint8_t *const *)(const void *)(message + field->offset);
    size_t count = *(const size_t *)(const void *)(message + field->mark), size = size_of(field);
    if (count == 0) return;
    if (format_of(field->kind) == LENGTH) {
        for (size_t i = 0; i < count; i++) {
            put_tag(out, field->number, LENGTH);
            if (field->kind == WIRE_MESSAGE) put_nested(out, field->type, elements + i * size);
            else put_value(out, field, elements + i * size);
        }
        return;
    }
    put_tag(out, field->number, LENGTH);
    size_t start = out->size;
    for (size_t i = 0; i < count; i++) put_value(out, field, elements + i * size);
    put_length(out, start);
}

static bool is_there(const wire_field *field, const uint8_t *message) {
    const uint8_t *place = message + field->offset;
    switch (field->label) {
    case WIRE_ALWAYS: return true;
    case WIRE_OPTIONAL: return *(const bool *)(message + field->mark);
    case WIRE_ONEOF: return *(const uint32_t *)(const void *)(message + field->mark) == field->number;
    }
    if (field->kind == WIRE_STRING || field->kind == WIRE_BYTES) return ((const theatre_bytes *)(const void *)place)->size > 0;
    for (size_t i = 0; i < size_of(field); i++)
        if (place[i]) return true;
    return false;
}

static void put_message(wire_buffer *out, const wire_type *type, const void *message) {
    for (uint32_t i = 0; i < type->count; i++) {
        const wire_field *field = &type->fields[i];
        const uint8_t *base = message;
        if (field->label == WIRE_REPEATED || field->label == WIRE_MAP) {
            put_repeated(out, field, base);
        } else if (is_there(field, base)) {
            put_tag(out, field->number, format_of(field->kind));
            if (field->kind == WIRE_MESSAGE) put_nested(out, field->type, *(const void *const *)(const void *)(base + field->offset));
            else put_value(out, field, base + field->offset);
        }
    }
}

bool wire_encode(const wire_type *type, const void *message, wire_buffer *buffer) {
    put_message(buffer, type, message);
    return !buffer->failed;
}
