// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Answers a theatre.http.v1.Request with its body, and anything that is none with itself.

#include "theatre_plugin.h"

#include <stdlib.h>
#include <string.h>

struct echo {
    theatre_instance table;
    const theatre_host *host;
};

static uint64_t varint(const uint8_t **at, const uint8_t *end) {
    uint64_t value = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

/* Field 7 of theatre.http.v1.Request; all its fields are length-delimited. */
static theatre_bytes body(theatre_bytes message) {
    const uint8_t *at = message.data, *end = message.data + message.size;
    while (at < end) {
        uint64_t tag = varint(&at, end), size = varint(&at, end);
        if (size > (uint64_t)(end - at))
            break;
        if (tag == (7 << 3 | 2))
            return (theatre_bytes){at, size};
        at += size;
    }
    return (theatre_bytes){message.data, 0};
}

/* theatre.http.v1.Response: status 200, content type, body. */
static const uint8_t head[] = {0x08, 0xc8, 0x01, 0x1a, 16, 'a', 'p', 'p', 'l', 'i', 'c', 'a',
                               't',  'i',  'o',  'n',  '/', 'j', 's', 'o', 'n', 0x22};

static theatre_code invoke(void *self, const theatre_request *request) {
    struct echo *echo = self;
    theatre_result result = {.struct_size = sizeof result, .code = THEATRE_OK, .payload = request->payload};
    if (request->payload.size == 0 || request->payload.data[0] != 0x0a) {
        echo->host->complete(echo->host->ctx, request->call, &result);
        return THEATRE_OK;
    }
    theatre_bytes answer = body(request->payload);
    uint8_t *out = malloc(sizeof head + 10 + answer.size);
    if (out == NULL)
        return THEATRE_RESOURCE_EXHAUSTED;
    memcpy(out, head, sizeof head);
    uint8_t *at = out + sizeof head;
    uint64_t size = answer.size;
    for (; size >= 0x80; size >>= 7)
        *at++ = (uint8_t)(size | 0x80);
    *at++ = (uint8_t)size;
    memcpy(at, answer.data, answer.size);
    result.payload = (theatre_bytes){out, (uint64_t)(at - out) + answer.size};
    echo->host->complete(echo->host->ctx, request->call, &result);
    free(out);
    return THEATRE_OK;
}

static theatre_code accept(void *self, theatre_error *error) { return THEATRE_OK; }
static theatre_code reply(void *self, theatre_id call, const theatre_result *result) { return THEATRE_OK; }
static void ignore(void *self) {}
static void destroy(void *self) { free(self); }

theatre_code theatre_create_EchoC(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                  theatre_error *error) {
    struct echo *echo = calloc(1, sizeof *echo);
    if (echo == NULL)
        return THEATRE_RESOURCE_EXHAUSTED;
    echo->host = host;
    echo->table = (theatre_instance){.struct_size = sizeof echo->table,
                                     .self = echo,
                                     .activate = accept,
                                     .invoke = invoke,
                                     .reply = reply,
                                     .deactivate = ignore,
                                     .destroy = destroy};
    *instance = &echo->table;
    return THEATRE_OK;
}
