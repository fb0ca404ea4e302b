/* Writing. See wire.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wire_parts.h"

#include <stdlib.h>
#include <string.h>

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
    default: put(out, place, wire_size_of(field));
    }
}

static void put_nested(wire_buffer *out, const wire_type *type, const void *message) {
    size_t start = out->size;
    if (message) put_message(out, type, message);
    put_length(out, start);
}

static void put_repeated(wire_buffer *out, const wire_field *field, const uint8_t *message) {
    const uint8_t *elements = *(const uint8_t *const *)(const void *)(message + field->offset);
    size_t count = *(const size_t *)(const void *)(message + field->mark), size = wire_size_of(field);
    if (count == 0) return;
    if (wire_format_of(field->kind) == LENGTH) {
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
    for (size_t i = 0; i < wire_size_of(field); i++)
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
            put_tag(out, field->number, wire_format_of(field->kind));
            if (field->kind == WIRE_MESSAGE) put_nested(out, field->type, *(const void *const *)(const void *)(base + field->offset));
            else put_value(out, field, base + field->offset);
        }
    }
}

bool wire_encode(const wire_type *type, const void *message, wire_buffer *buffer) {
    put_message(buffer, type, message);
    return !buffer->failed;
}
