// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "pack.h"

void put(buffer *out, const void *bytes, size_t size) {
    if (out->failed || size == 0) return;
    if (out->capacity - out->size < size) {
        size_t capacity = (out->size + size) * 2;
        uint8_t *data = realloc(out->data, capacity);
        if (!data) {
            out->failed = 1;
            return;
        }
        out->data = data;
        out->capacity = capacity;
    }
    memcpy(out->data + out->size, bytes, size);
    out->size += size;
}

void put_string(buffer *out, const char *text) { put(out, text, strlen(text)); }

static void put_varint(buffer *out, uint64_t value) {
    uint8_t bytes[10];
    size_t size = 0;
    for (; value > 0x7F; value >>= 7) bytes[size++] = (uint8_t)(value | 0x80);
    bytes[size++] = (uint8_t)value;
    put(out, bytes, size);
}

void put_number(buffer *out, uint32_t field, uint64_t value) {
    if (value == 0) return;
    put_varint(out, field << 3);
    put_varint(out, value);
}

void put_bytes(buffer *out, uint32_t field, const void *bytes, size_t size) {
    put_varint(out, field << 3 | 2);
    put_varint(out, size);
    put(out, bytes, size);
}

void put_text(buffer *out, uint32_t field, const char *text) {
    if (*text) put_bytes(out, field, text, strlen(text));
}

void put_message(buffer *out, uint32_t field, buffer *message) {
    out->failed |= message->failed;
    put_bytes(out, field, message->data, message->size);
    free(message->data);
    *message = (buffer){0};
}

int read_fields(theatre_bytes message, fields *fields) {
    const uint8_t *at = message.data, *end = at + message.size;
    while (message.size > 0 && at < end) {
        uint64_t tag, value;
        at = fixture_varint(at, end, &tag);
        if (!at) return 0;
        uint64_t number = tag >> 3 < 4 ? tag >> 3 : 0;
        switch (tag & 7) {
        case 0:
            at = fixture_varint(at, end, &value);
            if (at) fields->numbers[number] = value;
            break;
        case 2:
            at = fixture_varint(at, end, &value);
            if (!at || value > (uint64_t)(end - at)) return 0;
            if (number && count_scalars((theatre_bytes){at, value}) < 0) return 0;
            fields->texts[number] = (theatre_bytes){at, value};
            at += value;
            break;
        case 1: at = end - at >= 8 ? at + 8 : 0; break;
        case 5: at = end - at >= 4 ? at + 4 : 0; break;
        default: at = 0;
        }
        if (!at) return 0;
    }
    return 1;
}

/* Bytes of the scalar that starts at `at`, or 0. */
static size_t scalar(const uint8_t *at, const uint8_t *end) {
    uint8_t first = *at;
    if (first < 0x80) return 1;
    size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || (size_t)(end - at) < size) return 0;
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80, high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return size;
}

long count_scalars(theatre_bytes text) {
    long count = 0;
    const uint8_t *at = text.data, *end = at + text.size;
    while (text.size > 0 && at < end) {
        size_t size = scalar(at, end);
        if (size == 0) return -1;
        at += size;
        count++;
    }
    return count;
}
