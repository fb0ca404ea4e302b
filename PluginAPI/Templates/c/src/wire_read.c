/* Reading. See wire.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wire_parts.h"

#include <string.h>

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
    switch (wire_format_of(field->kind)) {
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
    default: memcpy(place, &number, wire_size_of(field)); return true;
    }
}

/* A place for one more element. The capacity is the power of two that holds the count. */
static void *append(reader *in, const wire_field *field, void *message) {
    uint8_t **elements = (void *)((uint8_t *)message + field->offset);
    size_t *count = (void *)((uint8_t *)message + field->mark), size = wire_size_of(field);
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
    if (format == wire_format_of(field->kind)) {
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
    unsigned own = wire_format_of(field->kind);
    return format == own || (field->label == WIRE_REPEATED && format == LENGTH && own != LENGTH);
}

static bool read_field(reader *in, const wire_field *field, unsigned format, void *message) {
    uint8_t *base = message;
    switch (field->label) {
    case WIRE_REPEATED: case WIRE_MAP: return read_repeated(in, field, format, message);
    case WIRE_OPTIONAL: *(bool *)(base + field->mark) = true; break;
    case WIRE_ONEOF:
        if (*(uint32_t *)(base + field->mark) != field->number) memset(base + field->offset, 0, wire_size_of(field));
        *(uint32_t *)(base + field->mark) = field->number;
    }
    return read_value(in, field, base + field->offset);
}

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
        if (has_map && field->label == WIRE_MAP && !wire_sort_map(inner.arena, field, message)) return false;
    }
    return true;
}

bool wire_decode(const wire_type *type, theatre_bytes bytes, void *message, wire_arena *arena) {
    reader in = {.arena = arena, .depth = WIRE_DEPTH};
    return read_message(&in, type, bytes, message);
}
