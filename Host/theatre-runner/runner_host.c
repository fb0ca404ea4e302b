// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// The theatre_host table of the plugin: what the plugin says to its host becomes frames.

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runner.h"
#include "runner_calls.h"

/* Texts longer than this are cut. */
#define TEXT_MOST (256u << 10)

static int is_sound(theatre_bytes bytes) { return bytes.size == 0 || (bytes.data != NULL && bytes.size <= INT32_MAX); }

static theatre_bytes cut(theatre_bytes text) {
    if (!is_sound(text)) return (theatre_bytes){NULL, 0};
    if (text.size > TEXT_MOST) text.size = TEXT_MOST;
    return text;
}

/* As the host reads results in its own process. */
static int is_readable(const theatre_result *result) {
    if (result == NULL || result->struct_size < THEATRE_RESULT_SIZE_0) return 0;
    if (result->code == THEATRE_OK)
        return is_sound(result->payload) && result->payload.size <= the_runner.message_limit;
    const theatre_error *error = result->error;
    return error != NULL && error->struct_size >= THEATRE_ERROR_SIZE_0 && error->code == result->code &&
           is_sound(error->reason) && is_sound(error->message) && is_sound(error->detail);
}

static theatre_code complete(void *context, theatre_id call, const theatre_result *result) {
    (void)context;
    if (call == 0) return THEATRE_NOT_FOUND;
    int was = calls_end(call), readable = is_readable(result);
    theatre_frame frame = {.type = THEATRE_FRAME_RESULT, .call = call};
    if (!readable) {
        frame.numbers[4] = THEATRE_RESULT_MALFORMED;
    } else if (result->code == THEATRE_OK) {
        frame.type = THEATRE_FRAME_ANSWER;
        frame.parts[0] = result->payload;
    } else {
        const theatre_error *error = result->error;
        frame.numbers[0] = (uint32_t)result->code;
        frame.numbers[1] = error->effect;
        frame.numbers[2] = error->retry;
        frame.numbers[3] = error->retry_after_ms;
        frame.numbers[4] = THEATRE_RESULT_ERROR;
        frame.parts[1] = cut(error->reason);
        frame.parts[2] = cut(error->message);
        frame.parts[3] = cut(error->detail);
    }
    /* A second or late completion is told too: the host counts them. */
    runner_put(&frame);
    if (was != CALL_LIVE) return THEATRE_NOT_FOUND;
    return readable ? THEATRE_OK : THEATRE_INVALID_ARGUMENT;
}

static theatre_code refuse(theatre_error *error, theatre_code code, uint32_t retry, const char *reason,
                           const char *message) {
    if (error == NULL) return code;
    theatre_error full = {.struct_size = sizeof full, .code = code, .retry = retry, .reason = runner_text(reason),
                          .message = runner_text(message)};
    uint32_t room = error->struct_size == 0 || error->struct_size > sizeof full ? sizeof full : error->struct_size;
    full.struct_size = room;
    memcpy(error, &full, room);
    return code;
}

static theatre_code check(const theatre_request *request, const theatre_id *id, theatre_error *error) {
    static _Thread_local char message[200];
    if (request == NULL || id == NULL || request->struct_size < THEATRE_REQUEST_SIZE_0 || !is_sound(request->payload) ||
        !is_sound(request->idempotency_key) || !is_sound(request->attributes) ||
        request->idempotency_key.size > TEXT_MOST || request->attributes.size > TEXT_MOST)
        return refuse(error, THEATRE_INVALID_ARGUMENT, THEATRE_RETRY_NEVER, "call.malformed",
                      "The request could not be read: a pointer is null or struct_size is too small.");
    if (!atomic_load_explicit(&the_runner.is_created, memory_order_acquire))
        return refuse(error, THEATRE_FAILED_PRECONDITION, THEATRE_RETRY_NEVER, "call.before_create",
                      "A plugin calls the host once create has returned.");
    if (request->operation >= the_runner.call_count) {
        snprintf(message, sizeof message, "The manifest lists %u calls; there is none with index %u.",
                 the_runner.call_count, request->operation);
        return refuse(error, THEATRE_INVALID_ARGUMENT, THEATRE_RETRY_NEVER, "call.unknown_operation", message);
    }
    if (request->payload.size > the_runner.message_limit) {
        snprintf(message, sizeof message,
                 "The message has %llu bytes, %llu are allowed; send what is larger as a stream.",
                 (unsigned long long)request->payload.size, (unsigned long long)the_runner.message_limit);
        return refuse(error, THEATRE_INVALID_ARGUMENT, THEATRE_RETRY_NEVER, "call.too_large", message);
    }
    return THEATRE_OK;
}

static theatre_code request(void *context, const theatre_request *request, theatre_id *id, theatre_error *error) {
    (void)context;
    if (id != NULL) *id = 0;
    theatre_code code = check(request, id, error);
    if (code != THEATRE_OK) return code;
    theatre_id call = calls_make((the_runner.call_flags[request->operation] & THEATRE_CALL_STREAM_IN) != 0);
    if (call == 0)
        return refuse(error, THEATRE_RESOURCE_EXHAUSTED, THEATRE_RETRY_SAFE, "call.table_full",
                      "The host carries as many calls as it can; try again shortly.");
    *id = call;
    theatre_frame frame = {.type = THEATRE_FRAME_REQUEST,
                           .call = call,
                           .numbers = {request->operation, request->on_behalf_of, request->deadline_ns,
                                       request->attempt, request->flags},
                           .parts = {request->payload, request->idempotency_key, {NULL, 0}, request->attributes}};
    runner_put(&frame);
    return THEATRE_OK;
}

static theatre_code send_chunk(void *context, theatre_id call, const theatre_chunk *chunk) {
    (void)context;
    if (chunk == NULL || chunk->struct_size < THEATRE_CHUNK_SIZE_0 || !is_sound(chunk->data) ||
        chunk->data.size > the_runner.message_limit)
        return THEATRE_INVALID_ARGUMENT;
    theatre_code code = calls_claim(call, chunk->seq, chunk->data.size, (chunk->flags & THEATRE_CHUNK_END) != 0);
    if (code != THEATRE_OK) return code;
    theatre_frame frame = {.type = THEATRE_FRAME_CHUNK,
                           .call = call,
                           .numbers = {chunk->seq, chunk->flags},
                           .parts = {chunk->data}};
    runner_put(&frame);
    return THEATRE_OK;
}

static void credit(void *context, theatre_id call, uint64_t bytes) {
    (void)context;
    theatre_frame frame = {.type = THEATRE_FRAME_CREDIT, .call = call, .numbers = {bytes}};
    if (call != 0) runner_put(&frame);
}

static void cancel(void *context, theatre_id call, uint32_t reason) {
    (void)context;
    theatre_frame frame = {.type = THEATRE_FRAME_CANCEL, .call = call, .numbers = {reason}};
    if (call != 0) runner_put(&frame);
}

static int32_t is_live(void *context, theatre_id call) {
    (void)context;
    return calls_is_live(call);
}

static uint64_t now(void *context, uint32_t kind) {
    (void)context;
    struct timespec time = {0};
    clock_gettime(kind == THEATRE_CLOCK_WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec +
           atomic_load_explicit(&the_runner.offset, memory_order_relaxed);
}

static void log_line(void *context, uint32_t level, theatre_bytes message, theatre_bytes fields) {
    (void)context;
    theatre_frame frame = {.type = THEATRE_FRAME_LOG, .numbers = {level}, .parts = {cut(message), cut(fields)}};
    runner_put(&frame);
}

void runner_fill_host(void) {
    the_runner.host = (theatre_host){.struct_size = sizeof(theatre_host),
                                     .revision = THEATRE_ABI_REVISION,
                                     .ctx = &the_runner,
                                     .complete = complete,
                                     .request = request,
                                     .send = send_chunk,
                                     .credit = credit,
                                     .cancel = cancel,
                                     .is_live = is_live,
                                     .now = now,
                                     .log = log_line};
}
