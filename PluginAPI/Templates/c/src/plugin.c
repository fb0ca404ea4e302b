/* See plugin.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin.h"

#include <stdlib.h>

theatre_error plugin_error(theatre_code code, const char *reason, const char *message) {
    return (theatre_error){.struct_size = sizeof(theatre_error),
                           .code = code,
                           .effect = THEATRE_EFFECT_NONE,
                           .retry = THEATRE_RETRY_NEVER,
                           .reason = wire_text(reason),
                           .message = wire_text(message)};
}

void plugin_log(const plugin *plugin, uint32_t level, const char *message, const char *fields) {
    plugin->host->log(plugin->host->ctx, level, wire_text(message), wire_text(fields));
}

void plugin_fail(plugin *plugin, theatre_id call, const theatre_error *error) {
    theatre_result result = {.struct_size = sizeof result, .code = error->code, .error = error};
    plugin->host->complete(plugin->host->ctx, call, &result);
}

void plugin_answer(plugin *plugin, theatre_id call, const wire_type *type, const void *response) {
    wire_buffer buffer = {0};
    if (wire_encode(type, response, &buffer)) {
        theatre_result result = {.struct_size = sizeof result, .payload = {buffer.data, buffer.size}};
        plugin->host->complete(plugin->host->ctx, call, &result);
    } else {
        theatre_error error = plugin_error(THEATRE_RESOURCE_EXHAUSTED, "{{snake}}.memory", "There is no memory left.");
        error.effect = THEATRE_EFFECT_UNKNOWN;
        plugin_fail(plugin, call, &error);
    }
    free(buffer.data);
}

void call_answer(call *call, const void *response) { plugin_answer(call->plugin, call->id, call->response, response); }

void call_fail(call *call, theatre_code code, const char *reason, const char *message) {
    theatre_error error = plugin_error(code, reason, message);
    plugin_fail(call->plugin, call->id, &error);
}

/* ------------------------------------------------------------------------------------------------ instance */

static theatre_code activate(void *self, theatre_error *error) {
    (void)self, (void)error;
    return THEATRE_OK;
}

static theatre_code invoke(void *self, const theatre_request *request) {
    const operation *operation = request->operation < operation_count ? &operations[request->operation] : NULL;
    call call = {.plugin = self, .id = request->call, .request = request};
    if (!operation) {
        call_fail(&call, THEATRE_UNIMPLEMENTED, "{{snake}}.unknown_operation", "The manifest has no such operation.");
        return THEATRE_OK;
    }
    if (!operation->handle) {
        call_fail(&call, THEATRE_UNIMPLEMENTED, "{{snake}}.not_written", "This operation is not written yet; nothing was done.");
        return THEATRE_OK;
    }
    call.response = operation->response;
    void *message = wire_allocate(&call.arena, operation->request->size);
    if (message && wire_decode(operation->request, request->payload, message, &call.arena))
        operation->handle(&call, message);
    else
        call_fail(&call, THEATRE_INVALID_ARGUMENT, "{{snake}}.malformed_request", "The bytes are not the operation's request.");
    wire_free(&call.arena);
    return THEATRE_OK;
}

/* This plugin makes no calls of its own. */
static theatre_code reply(void *self, theatre_id call, const theatre_result *result) {
    (void)self, (void)call, (void)result;
    return THEATRE_OK;
}

/* No operation streams yet: what comes for one that was refused is too late. */
static theatre_code take_chunk(void *self, theatre_id call, const theatre_chunk *chunk) {
    (void)self, (void)call, (void)chunk;
    return THEATRE_NOT_FOUND;
}

static void take_credit(void *self, theatre_id call, uint64_t bytes) { (void)self, (void)call, (void)bytes; }

static void deactivate(void *self) { (void)self; }

static void destroy(void *self) { free(self); }

theatre_code theatre_create_{{name}}(const theatre_host *, const theatre_create *, theatre_instance **, theatre_error *);

theatre_code theatre_create_{{name}}(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                     theatre_error *error) {
    (void)create; /* name, generation, configuration (JSON, checked by the manifest's schema), environment */
    plugin *made = calloc(1, sizeof *made);
    if (!made) {
        *error = plugin_error(THEATRE_RESOURCE_EXHAUSTED, "{{snake}}.memory", "There is no memory left.");
        return error->code;
    }
    made->host = host;
    made->table = (theatre_instance){.struct_size = sizeof(theatre_instance),
                                     .self = made,
                                     .activate = activate,
                                     .invoke = invoke,
                                     .reply = reply,
                                     .send = take_chunk,
                                     .credit = take_credit,
                                     .deactivate = deactivate,
                                     .destroy = destroy};
    *instance = &made->table;
    return THEATRE_OK;
}
