// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Asked with a count (8 bytes, little-endian) and a payload, calls its need that often with that payload.

#include "theatre_plugin.h"

#include <stdlib.h>
#include <string.h>

struct caller {
    theatre_instance table;
    const theatre_host *host;
    uint64_t answers;
};

static theatre_code invoke(void *self, const theatre_request *request) {
    struct caller *caller = self;
    const theatre_host *host = caller->host;
    uint64_t count = 0;
    if (request->payload.size < sizeof count)
        return THEATRE_INVALID_ARGUMENT;
    memcpy(&count, request->payload.data, sizeof count);
    uint64_t deadline = host->now(host->ctx, THEATRE_CLOCK_MONOTONIC) + 20000000000u;
    theatre_request call = {.struct_size = sizeof call,
                            .operation = 0,
                            .on_behalf_of = request->call,
                            .payload = {request->payload.data + sizeof count, request->payload.size - sizeof count},
                            .deadline_ns = deadline,
                            .attempt = 1};
    caller->answers = 0;
    for (uint64_t index = 0; index < count; index++) {
        theatre_id id = 0;
        if (host->request(host->ctx, &call, &id, NULL) != THEATRE_OK)
            break;
    }
    theatre_result result = {.struct_size = sizeof result,
                             .code = THEATRE_OK,
                             .payload = {(const uint8_t *)&caller->answers, sizeof caller->answers}};
    host->complete(host->ctx, request->call, &result);
    return THEATRE_OK;
}

static theatre_code reply(void *self, theatre_id call, const theatre_result *result) {
    struct caller *caller = self;
    if (result->code == THEATRE_OK)
        caller->answers += 1;
    return THEATRE_OK;
}

static theatre_code accept(void *self, theatre_error *error) { return THEATRE_OK; }
static void ignore(void *self) {}
static void destroy(void *self) { free(self); }

theatre_code theatre_create_Caller(const theatre_host *host, const theatre_create *create,
                                   theatre_instance **instance, theatre_error *error) {
    struct caller *caller = calloc(1, sizeof *caller);
    if (caller == NULL)
        return THEATRE_RESOURCE_EXHAUSTED;
    caller->host = host;
    caller->table = (theatre_instance){.struct_size = sizeof caller->table,
                                       .self = caller,
                                       .activate = accept,
                                       .invoke = invoke,
                                       .reply = reply,
                                       .deactivate = ignore,
                                       .destroy = destroy};
    *instance = &caller->table;
    return THEATRE_OK;
}
