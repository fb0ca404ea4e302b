/* What the deliberately bad plugins have in common: an instance that serves one route of theatre.http.v1.Handler.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "theatre_plugin_entry.h"

/* `table.self` points back to it. */
typedef struct fixture {
    theatre_instance table;
    const theatre_host *host;
} fixture;

typedef theatre_code (*fixture_control)(void *self, theatre_error *error);
typedef theatre_code (*fixture_serve)(void *self, const theatre_request *request);

static inline theatre_bytes fixture_text(const char *text) {
    return (theatre_bytes){(const uint8_t *)text, strlen(text)};
}

/* Fills in *error with static text and returns the code. */
static inline theatre_code fixture_fail(theatre_error *error, theatre_code code, const char *reason,
                                        const char *message) {
    *error = (theatre_error){.struct_size = sizeof(theatre_error),
                             .code = code,
                             .reason = fixture_text(reason),
                             .message = fixture_text(message)};
    return code;
}

/* Completes a call with a theatre.http.v1.Response: status 200 and a text of less than 128 bytes. */
static inline theatre_code fixture_answer(void *self, theatre_id call, const char *text) {
    fixture *me = self;
    uint8_t message[160] = {0x08, 0xC8, 0x01, 0x1A, 10, 't', 'e', 'x', 't', '/', 'p', 'l', 'a', 'i', 'n', 0x22};
    size_t size = strlen(text);
    message[16] = (uint8_t)size;
    memcpy(message + 17, text, size);
    theatre_result result = {.struct_size = sizeof result, .payload = {message, 17 + size}};
    return me->host->complete(me->host->ctx, call, &result);
}

/* One varint of protobuf's wire format; the place after it, or null. */
static inline const uint8_t *fixture_varint(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1) return 0;
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return at;
    }
    return 0;
}

/* Whether bytes are some protobuf message. */
static inline int fixture_is_message(theatre_bytes bytes) {
    const uint8_t *at = bytes.data, *end = at + bytes.size;
    while (bytes.size > 0 && at < end) {
        uint64_t tag, value;
        at = fixture_varint(at, end, &tag);
        if (!at || tag >> 3 == 0 || tag >> 3 >= 1u << 29) return 0;
        uint64_t left = (uint64_t)(end - at);
        switch (tag & 7) {
        case 0: at = fixture_varint(at, end, &value); break;
        case 1: at = left >= 8 ? at + 8 : 0; break;
        case 5: at = left >= 4 ? at + 4 : 0; break;
        case 2:
            at = fixture_varint(at, end, &value);
            if (at) at = value <= (uint64_t)(end - at) ? at + value : 0;
            break;
        default: at = 0;
        }
        if (!at) return 0;
    }
    return 1;
}

/* Whether a request is for one of so many operations, with a message. */
static inline int fixture_is_request(const theatre_request *request, uint32_t operations) {
    return request->operation < operations && fixture_is_message(request->payload);
}

/* Completes a request that `fixture_is_request` does not let pass. */
static inline theatre_code fixture_refuse(void *self, const theatre_request *request) {
    fixture *me = self;
    theatre_error error;
    theatre_code code = fixture_is_message(request->payload) ? THEATRE_UNIMPLEMENTED : THEATRE_INVALID_ARGUMENT;
    fixture_fail(&error, code, "fixture.refused", "This is no request of the fixture.");
    theatre_result result = {.struct_size = sizeof result, .code = code, .error = &error};
    me->host->complete(me->host->ctx, request->call, &result);
    return THEATRE_OK;
}

static inline theatre_code fixture_serves(void *self, const theatre_request *request) {
    if (!fixture_is_request(request, 1)) return fixture_refuse(self, request);
    fixture_answer(self, request->call, "served");
    return THEATRE_OK;
}

static inline theatre_code fixture_is_well(void *self, theatre_error *error) {
    (void)self, (void)error;
    return THEATRE_OK;
}

static inline theatre_code fixture_reply(void *self, theatre_id call, const theatre_result *result) {
    (void)self, (void)call, (void)result;
    return THEATRE_OK;
}

static inline void fixture_deactivate(void *self) { (void)self; }
static inline void fixture_destroy(void *self) { free(self); }

static inline theatre_code fixture_make(const theatre_host *host, theatre_instance **instance, theatre_error *error,
                                        fixture_control activate, fixture_serve invoke) {
    fixture *made = calloc(1, sizeof *made);
    if (!made) return fixture_fail(error, THEATRE_RESOURCE_EXHAUSTED, "fixture.memory", "There is no memory left.");
    made->host = host;
    made->table = (theatre_instance){.struct_size = sizeof(theatre_instance),
                                     .self = made,
                                     .activate = activate,
                                     .invoke = invoke,
                                     .reply = fixture_reply,
                                     .deactivate = fixture_deactivate,
                                     .destroy = fixture_destroy};
    *instance = &made->table;
    return THEATRE_OK;
}

/* The `create` of a plugin with these two functions. */
#define FIXTURE_CREATE(plugin_name, activate, invoke)                                                          \
    theatre_code theatre_create_##plugin_name(const theatre_host *host, const theatre_create *create,          \
                                              theatre_instance **instance, theatre_error *error) {             \
        (void)create;                                                                                          \
        return fixture_make(host, instance, error, activate, invoke);                                          \
    }

#endif
