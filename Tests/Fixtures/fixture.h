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

static inline theatre_code fixture_serves(void *self, const theatre_request *request) {
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
