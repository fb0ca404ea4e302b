/* The one exported function, the sections that the host reads from the file, and the table of an instance.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "seam.h"

#include <stdlib.h>

#define EMBED(name, section, file)                                                                                     \
    __asm__(".pushsection " section ",\"a\",@progbits\n"                                                               \
            ".globl " #name "_start\n.hidden " #name "_start\n" #name "_start: .incbin \"" file "\"\n"                 \
            ".globl " #name "_end\n.hidden " #name "_end\n" #name "_end:\n"                                            \
            ".popsection\n");                                                                                          \
    extern const uint8_t name##_start[], name##_end[];

EMBED(theatre_manifest, ".theatre.manifest", "plugin.json")
EMBED(theatre_contracts, ".theatre.contracts", "contracts.binpb")

/* In plugin.go. */
extern uintptr_t pluginCreate(void);
extern void pluginInvoke(live *live, theatre_request *request);
extern void pluginDestroy(uintptr_t state);

static theatre_bytes text(const char *text, uint64_t size) { return (theatre_bytes){(const uint8_t *)text, size}; }
#define TEXT(literal) text(literal, sizeof(literal) - 1)

static theatre_code activate(void *self, theatre_error *error) {
    (void)self, (void)error;
    return THEATRE_OK;
}

static theatre_code invoke(void *self, const theatre_request *request) {
    pluginInvoke(self, (theatre_request *)request);
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

static void destroy(void *self) {
    pluginDestroy(((live *)self)->state);
    free(self);
}

static theatre_code create(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                           theatre_error *error) {
    (void)create; /* name, generation, configuration (JSON, checked by the manifest's schema), environment */
    live *made = calloc(1, sizeof *made);
    if (!made) {
        *error = (theatre_error){.struct_size = sizeof *error,
                                 .code = THEATRE_RESOURCE_EXHAUSTED,
                                 .reason = TEXT("{{snake}}.memory"),
                                 .message = TEXT("There is no memory left.")};
        return error->code;
    }
    made->host = host;
    made->state = pluginCreate();
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

static theatre_plugin plugin;

/* Sizes of what the assembler embeds are no constants of C. */
__attribute__((constructor)) static void fill(void) {
    plugin = (theatre_plugin){.struct_size = sizeof plugin,
                              .abi_major = THEATRE_ABI_MAJOR,
                              .abi_revision = THEATRE_ABI_REVISION,
                              .name = TEXT("{{name}}"),
                              .version = TEXT("0.1.0"),
                              .manifest = {theatre_manifest_start, (uint64_t)(theatre_manifest_end - theatre_manifest_start)},
                              .contracts = {theatre_contracts_start,
                                            (uint64_t)(theatre_contracts_end - theatre_contracts_start)},
                              .create = create};
}

__attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_{{name}}(void) { return &plugin; }

void seam_complete(live *live, theatre_id call, const uint8_t *payload, uint64_t payload_size, theatre_code code,
                   uint32_t effect, const uint8_t *reason, uint64_t reason_size, const uint8_t *message,
                   uint64_t message_size) {
    theatre_error error = {.struct_size = sizeof error,
                           .code = code,
                           .effect = effect,
                           .reason = {reason, reason_size},
                           .message = {message, message_size}};
    theatre_result result = {.struct_size = sizeof result, .code = code};
    if (code == THEATRE_OK) result.payload = (theatre_bytes){payload, payload_size};
    else result.error = &error;
    live->host->complete(live->host->ctx, call, &result);
}

void seam_log(live *live, const uint8_t *message, uint64_t message_size, const uint8_t *fields, uint64_t fields_size) {
    live->host->log(live->host->ctx, THEATRE_LOG_DEBUG, (theatre_bytes){message, message_size},
                    (theatre_bytes){fields, fields_size});
}

uint64_t seam_now(live *live) { return live->host->now(live->host->ctx, THEATRE_CLOCK_WALL); }
