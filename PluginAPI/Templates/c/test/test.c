/* Every operation is tried through the interface: with an empty request, and with bytes that are none.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "plugin.h"

const theatre_plugin *theatre_plugin_v1_{{name}}(void);

static unsigned completions, failures;
static theatre_code last;

static void check(bool holds, const char *what, const char *operation) {
    if (holds) return;
    fprintf(stderr, "%s: %s\n", operation, what);
    failures++;
}

static theatre_code complete(void *ctx, theatre_id call, const theatre_result *result) {
    (void)ctx, (void)call;
    completions++;
    last = result->code;
    check(result->code == THEATRE_OK || (result->error && result->error->reason.size > 0), "an error has a reason", "complete");
    return THEATRE_OK;
}

static void write_log(void *ctx, uint32_t level, theatre_bytes message, theatre_bytes fields) {
    (void)ctx, (void)level, (void)message, (void)fields;
}

static void invoke(const theatre_instance *instance, uint32_t operation, const char *bytes, size_t size) {
    theatre_request request = {.struct_size = sizeof request,
                               .operation = operation,
                               .call = 1,
                               .attempt = 1,
                               .payload = {(const uint8_t *)bytes, size}};
    completions = 0;
    instance->invoke(instance->self, &request);
}

int main(void) {
    const theatre_plugin *plugin = theatre_plugin_v1_{{name}}();
    theatre_host host = {.struct_size = sizeof host, .complete = complete, .log = write_log};
    theatre_create create = {.struct_size = sizeof create, .generation = 1};
    theatre_error error = {0};
    theatre_instance *instance = NULL;
    check(plugin->create(&host, &create, &instance, &error) == THEATRE_OK, "succeeds", "create");
    check(instance->activate(instance->self, &error) == THEATRE_OK, "succeeds", "activate");
    for (uint32_t i = 0; i < operation_count; i++) {
        invoke(instance, i, "", 0);
        check(completions == 1, "completes an empty request once", operations[i].name);
        invoke(instance, i, "\x0A\x7F", 2);
        check(completions == 1 && last != THEATRE_OK, "refuses bytes that are no message", operations[i].name);
    }
    instance->deactivate(instance->self);
    instance->destroy(instance->self);
    printf("%u operations, %u failures\n", operation_count, failures);
    return failures != 0;
}
