// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Messages, as far as this plugin reads and writes them.

#include "faulty.h"

/* Field `number` of a message, of less than 128 bytes; the size written, with what is too long left out. */
static size_t write_field(uint8_t *to, unsigned number, theatre_bytes text) {
    if (text.size == 0 || text.size > 127) return 0;
    to[0] = (uint8_t)(number << 3 | 2);
    to[1] = (uint8_t)text.size;
    memcpy(to + 2, text.data, text.size);
    return 2 + text.size;
}

void faulty_succeed(faulty *me, theatre_id call, theatre_bytes subject) {
    uint8_t message[160];
    theatre_result result = {.struct_size = sizeof result};
    result.payload = (theatre_bytes){message, write_field(message, 1, subject)};
    me->host->complete(me->host->ctx, call, &result);
}

void faulty_fail(faulty *me, theatre_id call, theatre_code code, const char *reason, uint32_t effect) {
    theatre_error error;
    fixture_fail(&error, code, reason, "It did not come to be.");
    error.effect = effect;
    theatre_result result = {.struct_size = sizeof result, .code = code, .error = &error};
    me->host->complete(me->host->ctx, call, &result);
}

theatre_bytes faulty_secret(theatre_bytes message) {
    const uint8_t *at = message.data, *end = at + message.size;
    while (at && at < end) {
        uint64_t tag, value;
        at = fixture_varint(at, end, &tag);
        if (!at) break;
        if ((tag & 7) == 1) at += 8;
        if ((tag & 7) == 5) at += 4;
        if ((tag & 7) == 0) at = fixture_varint(at, end, &value);
        if ((tag & 7) != 2) continue;
        at = fixture_varint(at, end, &value);
        if (at && tag >> 3 == 2) return (theatre_bytes){at, value};
        if (at) at += value;
    }
    return (theatre_bytes){0};
}

theatre_code faulty_fetch(faulty *me, theatre_id on_behalf_of, theatre_bytes url, theatre_id *made) {
    uint8_t message[160];
    size_t size = write_field(message, 1, fixture_text("GET"));
    size += write_field(message + size, 2, url);
    theatre_request request = {.struct_size = sizeof request, .on_behalf_of = on_behalf_of, .payload = {message, size}};
    return me->host->request(me->host->ctx, &request, made, 0);
}
