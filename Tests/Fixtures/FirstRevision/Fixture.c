// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// What a plugin is that was built when the interface had revision 0 and is never built again: it has the structs of
// that header, as they were, and states their sizes. It stays as it is whatever theatre_plugin.h becomes.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct bytes {
    const uint8_t *data;
    uint64_t size;
} bytes;

typedef struct error {
    uint32_t struct_size;
    int32_t code;
    uint32_t effect, retry;
    uint64_t retry_after_ms;
    bytes reason, message, detail;
} error;

typedef struct request {
    uint32_t struct_size, operation;
    uint64_t call, on_behalf_of;
    bytes payload;
    uint64_t deadline_ns;
    uint32_t attempt, flags;
    bytes idempotency_key, context, attributes;
} request;

typedef struct result {
    uint32_t struct_size;
    int32_t code;
    bytes payload;
    const error *error;
} result;

typedef struct host {
    uint32_t struct_size, revision;
    void *ctx;
    int32_t (*complete)(void *, uint64_t, const result *);
    int32_t (*request)(void *, const request *, uint64_t *, error *);
    int32_t (*send)(void *, uint64_t, const void *);
    void (*credit)(void *, uint64_t, uint64_t);
    void (*cancel)(void *, uint64_t, uint32_t);
    int32_t (*is_live)(void *, uint64_t);
    uint64_t (*now)(void *, uint32_t);
    void (*log)(void *, uint32_t, bytes, bytes);
} host;

typedef struct instance {
    uint32_t struct_size, reserved;
    void *self;
    int32_t (*activate)(void *, error *);
    int32_t (*self_test)(void *, error *);
    int32_t (*invoke)(void *, const request *);
    int32_t (*reply)(void *, uint64_t, const result *);
    int32_t (*send)(void *, uint64_t, const void *);
    void (*credit)(void *, uint64_t, uint64_t);
    void (*cancel)(void *, uint64_t, uint32_t);
    void (*deactivate)(void *);
    void (*destroy)(void *);
} instance;

typedef struct plugin {
    uint32_t struct_size;
    uint16_t abi_major, abi_revision, min_host_revision, reserved;
    uint32_t flags;
    bytes name, version, build_id, manifest, contracts;
    int32_t (*create)(const host *, const void *, instance **, error *);
} plugin;

static const uint8_t manifest[] __attribute__((section(".theatre.manifest"), used, aligned(1))) = {
#embed "plugin.json"
};
static const uint8_t contracts[] __attribute__((section(".theatre.contracts"), used, aligned(1))) = {
#embed "contracts.binpb"
};

/* An instance, and whom it answers. */
typedef struct state {
    instance table;
    const host *host;
} state;

static int32_t activate(void *self, error *error) {
    (void)self, (void)error;
    return 0;
}

/* Fails each call of an operation there is none of; else says that it serves, by a theatre.http.v1.Response. */
static int32_t invoke(void *self, const request *request) {
    static const uint8_t response[] = "\x08\xC8\x01\x1A\x0Atext/plain\x22\x06served";
    static const char reason[] = "fixture.refused", message[] = "Revision 0 has one operation.";
    state *me = self;
    error failure = {.struct_size = sizeof failure,
                     .code = 12,
                     .reason = {(const uint8_t *)reason, sizeof reason - 1},
                     .message = {(const uint8_t *)message, sizeof message - 1}};
    result answer = {.struct_size = sizeof answer, .payload = {response, sizeof response - 1}};
    if (request->operation != 0) answer = (result){.struct_size = sizeof answer, .code = 12, .error = &failure};
    me->host->complete(me->host->ctx, request->call, &answer);
    return 0;
}

static int32_t reply(void *self, uint64_t call, const result *result) {
    (void)self, (void)call, (void)result;
    return 0;
}

static void deactivate(void *self) { (void)self; }

static int32_t create(const host *host, const void *arguments, instance **made, error *error) {
    (void)arguments, (void)error;
    state *me = calloc(1, sizeof *me);
    if (!me) return 8;
    me->host = host;
    me->table = (instance){.struct_size = sizeof me->table,
                           .self = me,
                           .activate = activate,
                           .invoke = invoke,
                           .reply = reply,
                           .deactivate = deactivate,
                           .destroy = free};
    *made = &me->table;
    return 0;
}

__attribute__((visibility("default"))) const plugin *theatre_plugin_v1_FirstRevision(void) {
    static const plugin table = {.struct_size = sizeof table,
                                 .abi_major = 1,
                                 .name = {(const uint8_t *)"FirstRevision", 13},
                                 .version = {(const uint8_t *)"1.0.0", 5},
                                 .manifest = {manifest, sizeof manifest},
                                 .contracts = {contracts, sizeof contracts},
                                 .create = create};
    return &table;
}
