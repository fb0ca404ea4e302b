/* What every plugin in C does the same way: it decodes requests, completes calls, tells errors and writes log lines.
 * The operations themselves are in operations.c.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include "theatre_plugin.h"
#include "wire.h"

/* One instance. Members of your own go here. Operations run on any thread and at the same time. */
typedef struct plugin {
    theatre_instance table;
    const theatre_host *host;
} plugin;

/* A call that is being served. It lives as long as its operation runs, and so does the request. */
typedef struct call {
    plugin *plugin;
    theatre_id id;
    const theatre_request *request;
    const wire_type *response;
    wire_arena arena; /* wire_allocate(&call->arena, …) for what the answer needs */
} call;

typedef struct operation {
    const char *name;
    const wire_type *request, *response;
    /* Completes the call once, with call_answer or call_fail. It does not block. Null: the operation is refused. */
    void (*handle)(call *call, const void *request);
} operation;

/* In the order of the manifest. */
extern const operation operations[];
extern const uint32_t operation_count;

void call_answer(call *call, const void *response);

/* `reason` is a stable code, `message` one sentence without secrets. It says that nothing was done. */
void call_fail(call *call, theatre_code code, const char *reason, const char *message);

/* The same for a call that is completed after its operation has returned, by what was kept of it. */
void plugin_answer(plugin *plugin, theatre_id call, const wire_type *type, const void *response);
void plugin_fail(plugin *plugin, theatre_id call, const theatre_error *error);

/* `message` is constant text, `fields` a JSON object or "". */
void plugin_log(const plugin *plugin, uint32_t level, const char *message, const char *fields);

/* An error with effect NONE and retry NEVER. Its texts are not copied. */
theatre_error plugin_error(theatre_code code, const char *reason, const char *message);

#endif
