/* TheatreOS plugin interface, version 1.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin is a shared library that exports one function. The host and the plugin each hand the other a
 * table of functions; everything that crosses is bytes. Domain calls and host services have one shape in
 * both directions: (operation, request) -> exactly one completion, with optional byte streams either way.
 *
 * Platform: C11, 64-bit, little-endian. This header needs <stdint.h> only.
 *
 * Reading order: theatre_bytes, theatre_request, theatre_result, theatre_instance, theatre_host.
 *
 * THREADS   [control] calls of one instance never overlap and may take seconds.
 *           [any]     calls come on any thread, concurrently, up to the manifest's `max_concurrency`. They
 *                     return at once: work that waits goes to the plugin's own threads.
 *           Every host function may be called on any thread, also from inside a call into the plugin. The
 *           host holds no lock while it calls a plugin.
 * OWNERSHIP What a pointer argument refers to belongs to the caller and lives until the function returns.
 *           The callee copies what it keeps. Neither side frees the other's memory.
 * VERSIONS  The major version is in the name of the exported symbol. A revision only appends members to
 *           structs: a member is present if it ends within `struct_size`. Readers copy the smaller of the
 *           two sizes and treat the rest as zero. Writers set `struct_size` to their own sizeof, which is at
 *           least the struct's size in revision 0, THEATRE_..._SIZE_0: a shorter one is refused, one of any
 *           later revision is read.
 * STATES    LOADED -> create -> CONFIGURED -> activate (self_test) -> READY -> deactivate -> DRAINING
 *           -> destroy -> RETIRED.
 *
 * Above each function stand its thread, the states of the instance in which it may be called (A -> B: called in
 * A, after it B) and, under `Ownership:`, what is borrowed until when and who frees what.
 */
#ifndef THEATRE_PLUGIN_H
#define THEATRE_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THEATRE_ABI_MAJOR 1u
#define THEATRE_ABI_REVISION 0u

/* The size of each struct in revision 0, for ever: the least that its `struct_size` may say. */
#define THEATRE_ERROR_SIZE_0 72u
#define THEATRE_REQUEST_SIZE_0 104u
#define THEATRE_RESULT_SIZE_0 32u
#define THEATRE_CHUNK_SIZE_0 32u
#define THEATRE_CREATE_SIZE_0 72u
#define THEATRE_INSTANCE_SIZE_0 88u
#define THEATRE_HOST_SIZE_0 80u
#define THEATRE_PLUGIN_SIZE_0 104u

/* ---------------------------------------------------------------------------------------------- values */

/* Borrowed bytes. Text is UTF-8 and not NUL-terminated. `data` may be null when `size` is 0. */
typedef struct theatre_bytes {
    const uint8_t *data;
    uint64_t size;
} theatre_bytes;

/* A call. Slot and generation in one number; 0 is no call. A stale id is detected and answered with
 * THEATRE_NOT_FOUND, never followed. Ids are unique within one host process for its whole life. */
typedef uint64_t theatre_id;

/* Status codes: gRPC's canonical codes. A reader treats any other value as THEATRE_UNKNOWN. */
typedef int32_t theatre_code;
#define THEATRE_OK 0
#define THEATRE_CANCELLED 1
#define THEATRE_UNKNOWN 2
#define THEATRE_INVALID_ARGUMENT 3
#define THEATRE_DEADLINE_EXCEEDED 4
#define THEATRE_NOT_FOUND 5
#define THEATRE_ALREADY_EXISTS 6
#define THEATRE_PERMISSION_DENIED 7
#define THEATRE_RESOURCE_EXHAUSTED 8
#define THEATRE_FAILED_PRECONDITION 9
#define THEATRE_ABORTED 10
#define THEATRE_OUT_OF_RANGE 11
#define THEATRE_UNIMPLEMENTED 12
#define THEATRE_INTERNAL 13
#define THEATRE_UNAVAILABLE 14
#define THEATRE_DATA_LOSS 15
#define THEATRE_UNAUTHENTICATED 16

/* theatre_error.effect: what the failed call did to the world. */
#define THEATRE_EFFECT_NONE 0u    /* nothing: safe to send elsewhere */
#define THEATRE_EFFECT_UNKNOWN 1u /* perhaps: reconcile with the same idempotency key before anything else */
#define THEATRE_EFFECT_APPLIED 2u /* it happened; only the answer failed */

/* theatre_error.retry: whether the same request may be sent to the same place again. */
#define THEATRE_RETRY_NEVER 0u
#define THEATRE_RETRY_SAFE 1u
#define THEATRE_RETRY_AFTER 2u /* not before retry_after_ms */

/* theatre_request.flags */
#define THEATRE_CALL_STREAM_IN 1u    /* the caller sends chunks to the callee */
#define THEATRE_CALL_STREAM_OUT 2u   /* the callee sends chunks to the caller */
#define THEATRE_CALL_SIDE_EFFECT 4u  /* set by the host from the contract: a time-out is EFFECT_UNKNOWN */

/* theatre_chunk.flags */
#define THEATRE_CHUNK_END 1u /* nothing follows in this direction; `data` may be empty */

/* Stream credit, in bytes, that each direction of each stream starts with. A sender may send while its
 * credit is positive; a chunk may take it below zero. */
#define THEATRE_STREAM_CREDIT 65536u

/* theatre_host.now kinds, both in nanoseconds. */
#define THEATRE_CLOCK_MONOTONIC 0u
#define THEATRE_CLOCK_WALL 1u /* since 1970-01-01T00:00:00Z */

/* theatre_host.log levels. */
#define THEATRE_LOG_TRACE 0u
#define THEATRE_LOG_DEBUG 1u
#define THEATRE_LOG_INFO 2u
#define THEATRE_LOG_NOTICE 3u
#define THEATRE_LOG_WARNING 4u
#define THEATRE_LOG_ERROR 5u

/* theatre_instance.cancel reasons. */
#define THEATRE_CANCEL_CALLER 0u   /* the caller no longer wants the answer */
#define THEATRE_CANCEL_DEADLINE 1u /* the deadline passed; the host has answered the caller already */
#define THEATRE_CANCEL_DRAIN 2u    /* the instance is being stopped */

/* --------------------------------------------------------------------------------------------- messages */

/* Why a call failed. `reason` is a stable, lower-case, dotted machine code such as
 * "ledger.insufficient_funds"; `message` is one sentence for a person, without secrets; `detail` is a JSON
 * pointer to the request field at fault, or empty. */
typedef struct theatre_error {
    uint32_t struct_size;
    theatre_code code;
    uint32_t effect;
    uint32_t retry;
    uint64_t retry_after_ms;
    theatre_bytes reason;
    theatre_bytes message;
    theatre_bytes detail;
} theatre_error;

/* A call, in either direction.
 *  operation       host to plugin: index in the manifest's `operations`. Plugin to host: index in the
 *                  manifest's `calls`. Both lists are flat and in manifest order.
 *  call            host to plugin: the id to complete. Plugin to host: 0 on input.
 *  on_behalf_of    plugin to host: the call being served, whose context, deadline and trace are inherited;
 *                  0 for work of the plugin's own, which has no tenant and no principal.
 *  payload         one protobuf message of the operation's request type.
 *  deadline_ns     absolute, on the monotonic clock of theatre_host.now; 0 is the caller's, or the default.
 *  attempt         1 for the first.
 *  flags           THEATRE_CALL_*.
 *  idempotency_key stable over attempts; empty when there is none.
 *  context         one theatre.host.v1.Context message. Set by the host; ignored from a plugin.
 *  attributes      one theatre.host.v1.RouteAttributes message, used to choose among a route's candidates. */
typedef struct theatre_request {
    uint32_t struct_size;
    uint32_t operation;
    theatre_id call;
    theatre_id on_behalf_of;
    theatre_bytes payload;
    uint64_t deadline_ns;
    uint32_t attempt;
    uint32_t flags;
    theatre_bytes idempotency_key;
    theatre_bytes context;
    theatre_bytes attributes;
} theatre_request;

/* A completion. `payload` is one message of the operation's response type when `code` is THEATRE_OK, else
 * empty. `error` is null when `code` is THEATRE_OK; otherwise error->code equals `code`. */
typedef struct theatre_result {
    uint32_t struct_size;
    theatre_code code;
    theatre_bytes payload;
    const theatre_error *error;
} theatre_result;

/* One message of a stream. `seq` counts from 0 in each direction without gaps. */
typedef struct theatre_chunk {
    uint32_t struct_size;
    uint32_t flags;
    uint64_t seq;
    theatre_bytes data;
} theatre_chunk;

/* What an instance is created with.
 *  instance       its name in plugins.d, unique in the host.
 *  generation     counts the loads of this instance from 1; every log line carries it.
 *  configuration  JSON, already checked against the manifest's schema, defaults filled in.
 *  environment    one theatre.host.v1.Environment message: public URL, build, development or not.
 *  manifest       the manifest the host verified: what operation and call indexes refer to. */
typedef struct theatre_create {
    uint32_t struct_size;
    uint32_t generation;
    theatre_bytes instance;
    theatre_bytes configuration;
    theatre_bytes environment;
    theatre_bytes manifest;
} theatre_create;

/* ------------------------------------------------------------------------------------------------ plugin */

/* One live instance, allocated by the plugin in `create`, freed by it in `destroy`. The members do not
 * change after `create` returns. Control functions return THEATRE_OK, or another code with *error filled in. */
typedef struct theatre_instance {
    uint32_t struct_size;
    uint32_t reserved;
    void *self;

    /* [control] CONFIGURED -> READY. Opens what the instance needs. No `invoke` comes before it has returned. It
     * may call the host.
     * Ownership: *error is the host's; the bytes it is made to refer to are the plugin's and stay valid until the
     * next control call on this instance. */
    theatre_code (*activate)(void *self, theatre_error *error);

    /* [control] READY. Optional (null). Proves that the instance can do its work; changes nothing.
     * Ownership: as of `activate`. */
    theatre_code (*self_test)(void *self, theatre_error *error);

    /* [any] READY. Accepts the call and returns THEATRE_OK, then completes it exactly once through
     * theatre_host.complete, inside this function or later, on any thread; or rejects it at once with another
     * code, having done nothing, and never completes it. Does not block.
     * Ownership: *request and all that it refers to is the host's, borrowed until this function returns: what is
     * needed later is copied. */
    theatre_code (*invoke)(void *self, const theatre_request *request);

    /* [any] READY, DRAINING; CONFIGURED too, for what `activate` calls. The answer to a call this instance made
     * with theatre_host.request. Comes exactly once a call, and may come before `request` has returned, on the
     * same thread.
     * Ownership: *result, its payload and its error are the host's, borrowed until this function returns. */
    theatre_code (*reply)(void *self, theatre_id call, const theatre_result *result);

    /* [any] READY, DRAINING; CONFIGURED too, for what `activate` calls. The next message of a stream: towards the
     * callee for a call this instance serves, towards the caller for a call it made. Null if the instance takes no
     * streams.
     * Ownership: *chunk and its data are the host's, borrowed until this function returns. */
    theatre_code (*send)(void *self, theatre_id call, const theatre_chunk *chunk);

    /* [any] READY, DRAINING; CONFIGURED too, for what `activate` calls. The other end takes `bytes` more on this
     * stream. Null if no streams.
     * Ownership: nothing is handed over. */
    void (*credit)(void *self, theatre_id call, uint64_t bytes);

    /* [any] READY, DRAINING; CONFIGURED too, for what `activate` calls. Advisory, for calls in either direction:
     * the answer is no longer wanted. A call being served is still completed, with THEATRE_CANCELLED if it stopped
     * early. Null to ignore.
     * Ownership: nothing is handed over. */
    void (*cancel)(void *self, theatre_id call, uint32_t reason);

    /* [control] READY -> DRAINING. New calls no longer come; those being served may finish. Work of the instance's own
     * has ended when this returns: from then on it uses the host for what is under way alone, and after that, until
     * `destroy`, not at all.
     * Ownership: nothing is handed over; the instance goes on borrowing the host's table. */
    void (*deactivate)(void *self);

    /* [control] DRAINING or CONFIGURED -> RETIRED. No call is being served.
     * Ownership: the plugin frees the instance, this table with it, and what it kept for it. Once this has
     * returned, neither side uses the other's table or anything it refers to again. */
    void (*destroy)(void *self);
} theatre_instance;

/* What the host offers one instance. The host allocates and frees it; it is the plugin's to use until `destroy`
 * returns. `ctx` is passed back in every call. */
typedef struct theatre_host {
    uint32_t struct_size;
    uint32_t revision;
    void *ctx;

    /* [any] READY, DRAINING. Completes a call that `invoke` accepted. THEATRE_OK: delivered. THEATRE_NOT_FOUND: the
     * id is not live, because the call was completed before, timed out, or never belonged to this instance; counted
     * and dropped. THEATRE_INVALID_ARGUMENT: the result is malformed; the caller received INTERNAL.
     * Ownership: *result and all that it refers to is the plugin's, borrowed by the host until this function
     * returns. */
    theatre_code (*complete)(void *ctx, theatre_id call, const theatre_result *result);

    /* [any] CONFIGURED, READY, DRAINING. Calls a host service or a declared need. THEATRE_OK: *call is the new call
     * and `reply` comes exactly once. Another code: nothing was sent and no reply comes; *error, if not null, says
     * why.
     * Ownership: *request and all that it refers to is the plugin's, borrowed by the host until this function
     * returns; so are *call and *error. The bytes that *error is made to refer to are static or the host's, valid
     * until this thread's next host call. */
    theatre_code (*request)(void *ctx, const theatre_request *request, theatre_id *call, theatre_error *error);

    /* [any] CONFIGURED, READY, DRAINING. Sends the next message of a stream. THEATRE_RESOURCE_EXHAUSTED: no credit,
     * nothing was sent, wait for `credit`. THEATRE_NOT_FOUND: the call has ended.
     * Ownership: *chunk and its data are the plugin's, borrowed by the host until this function returns. */
    theatre_code (*send)(void *ctx, theatre_id call, const theatre_chunk *chunk);

    /* [any] CONFIGURED, READY, DRAINING. Lets the other end of a stream send `bytes` more.
     * Ownership: nothing is handed over. */
    void (*credit)(void *ctx, theatre_id call, uint64_t bytes);

    /* [any] CONFIGURED, READY, DRAINING. Gives up a call this instance made. Its `reply` still comes, once.
     * Ownership: nothing is handed over; the call stays live until its `reply`. */
    void (*cancel)(void *ctx, theatre_id call, uint32_t reason);

    /* [any] CONFIGURED, READY, DRAINING. 1 while the call is wanted, else 0. Cheap: long work may ask in a loop.
     * Ownership: nothing is handed over. */
    int32_t (*is_live)(void *ctx, theatre_id call);

    /* [any] LOADED (inside `create`), CONFIGURED, READY, DRAINING. The only clock a plugin reads. `kind` is
     * THEATRE_CLOCK_*.
     * Ownership: nothing is handed over. */
    uint64_t (*now)(void *ctx, uint32_t kind);

    /* [any] LOADED (inside `create`), CONFIGURED, READY, DRAINING. One log line. `message` is constant text;
     * `fields` is a JSON object, or empty. No secrets.
     * Ownership: both texts are the plugin's, borrowed by the host until this function returns. */
    void (*log)(void *ctx, uint32_t level, theatre_bytes message, theatre_bytes fields);
} theatre_host;

/* What the exported function returns: constant, the same at every call, valid until the process ends. `manifest`
 * and `contracts` have the same bytes as the ELF sections ".theatre.manifest" and ".theatre.contracts". `build_id`
 * names the build for people; the host takes identity from the digest of the file. */
typedef struct theatre_plugin {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_revision;
    uint16_t min_host_revision;
    uint16_t reserved;
    uint32_t flags;
    theatre_bytes name;
    theatre_bytes version;
    theatre_bytes build_id;
    theatre_bytes manifest;
    theatre_bytes contracts;

    /* [control] LOADED -> CONFIGURED. Makes an instance; may be called several times for several instances.
     * Opens nothing and starts no thread that runs on after a failure. On failure leaves *instance null and
     * fills *error.
     * Ownership: *host is the host's, borrowed until the instance's `destroy` has returned; *create and all that it
     * refers to, until this function returns. *instance is the plugin's, lent to the host until `destroy`, which
     * frees it. The bytes that *error is made to refer to are the plugin's and stay valid until the library's next
     * `create`. */
    theatre_code (*create)(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                           theatre_error *error);
} theatre_plugin;

/* The exported symbol of libLedger.so is theatre_plugin_v1_Ledger. [any] LOADED and all that follow: any number of
 * times. Pure: no allocation, thread or I/O.
 * Ownership: the table is the library's, constant, and valid until the process ends; nobody frees it. */
typedef const theatre_plugin *(*theatre_plugin_entry)(void);
#define THEATRE_ENTRY_PREFIX "theatre_plugin_v1_"

/* ELF sections that the host reads from the file before it loads anything. */
#define THEATRE_MANIFEST_SECTION ".theatre.manifest"   /* JSON, the manifest */
#define THEATRE_CONTRACTS_SECTION ".theatre.contracts" /* protobuf FileDescriptorSet of what it speaks */

#ifdef __cplusplus
}
#endif

#endif
