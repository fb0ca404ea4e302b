// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// What the host says becomes calls of the instance's functions.

#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "runner.h"
#include "runner_calls.h"

static void reject(theatre_id call, theatre_code code) {
    calls_end(call);
    theatre_frame frame = {.type = THEATRE_FRAME_REJECT, .call = call, .numbers = {(uint32_t)code}};
    runner_put(&frame);
}

static void invoke(const theatre_instance *instance, const theatre_frame *frame) {
    theatre_request request = {.struct_size = sizeof request,
                               .operation = (uint32_t)frame->numbers[0],
                               .call = frame->call,
                               .on_behalf_of = frame->numbers[1],
                               .payload = frame->parts[0],
                               .deadline_ns = frame->numbers[2],
                               .attempt = (uint32_t)frame->numbers[3],
                               .flags = (uint32_t)frame->numbers[4],
                               .idempotency_key = frame->parts[1],
                               .context = frame->parts[2],
                               .attributes = frame->parts[3]};
    if (!calls_serve(frame->call, (request.flags & THEATRE_CALL_STREAM_OUT) != 0))
        return reject(frame->call, THEATRE_RESOURCE_EXHAUSTED);
    theatre_code code = instance->invoke(instance->self, &request);
    if (code != THEATRE_OK) reject(frame->call, code);
}

static void reply(const theatre_instance *instance, const theatre_frame *frame) {
    if (calls_end(frame->call) == CALL_UNKNOWN) return;
    theatre_error error = {.struct_size = sizeof error,
                           .code = (theatre_code)(uint32_t)frame->numbers[0],
                           .effect = (uint32_t)frame->numbers[1],
                           .retry = (uint32_t)frame->numbers[2],
                           .retry_after_ms = frame->numbers[3],
                           .reason = frame->parts[1],
                           .message = frame->parts[2],
                           .detail = frame->parts[3]};
    theatre_result result = {.struct_size = sizeof result,
                             .code = error.code,
                             .payload = frame->parts[0],
                             .error = frame->numbers[4] & THEATRE_RESULT_ERROR ? &error : NULL};
    instance->reply(instance->self, frame->call, &result);
}

static void answer(const theatre_instance *instance, const theatre_frame *frame) {
    if (calls_end(frame->call) == CALL_UNKNOWN) return;
    theatre_result result = {.struct_size = sizeof result, .payload = frame->parts[0]};
    instance->reply(instance->self, frame->call, &result);
}

static void chunk(const theatre_instance *instance, const theatre_frame *frame) {
    theatre_chunk chunk = {.struct_size = sizeof chunk,
                           .flags = (uint32_t)frame->numbers[1],
                           .seq = frame->numbers[0],
                           .data = frame->parts[0]};
    if (instance->send != NULL) instance->send(instance->self, frame->call, &chunk);
}

static void take(const theatre_frame *frame) {
    switch (frame->type) {
    case THEATRE_FRAME_CREATE:
    case THEATRE_FRAME_CONTROL: return runner_control_add(frame);
    case THEATRE_FRAME_CLOCK: return atomic_store_explicit(&the_runner.offset, frame->numbers[0], memory_order_relaxed);
    case THEATRE_FRAME_PING: {
        theatre_frame pong = {.type = THEATRE_FRAME_PONG, .numbers = {frame->numbers[0]}};
        return runner_put(&pong);
    }
    default: break;
    }
    if (!atomic_load_explicit(&the_runner.is_created, memory_order_acquire)) runner_end("a call came before create");
    const theatre_instance *instance = the_runner.instance;
    switch (frame->type) {
    case THEATRE_FRAME_REQUEST: return invoke(instance, frame);
    case THEATRE_FRAME_ANSWER: return answer(instance, frame);
    case THEATRE_FRAME_RESULT: return reply(instance, frame);
    case THEATRE_FRAME_CHUNK: return chunk(instance, frame);
    case THEATRE_FRAME_CREDIT:
        calls_credit(frame->call, frame->numbers[0]);
        if (instance->credit != NULL) instance->credit(instance->self, frame->call, frame->numbers[0]);
        return;
    case THEATRE_FRAME_CANCEL:
        calls_cancel(frame->call, (uint32_t)frame->numbers[0]);
        if (instance->cancel != NULL) instance->cancel(instance->self, frame->call, (uint32_t)frame->numbers[0]);
        return;
    default: runner_end("the host sent what it may not");
    }
}

void runner_receive(unsigned frames) {
    int64_t count = theatre_inbox_receive_soon(&the_runner.in, frames);
    while (count == 0) {
        int woken = !theatre_pipe_rest(&the_runner.pipe) || theatre_pipe_take_wakes(&the_runner.pipe, 0) == 1;
        theatre_pipe_rise(&the_runner.pipe);
        count = theatre_inbox_receive(&the_runner.in);
        if (count == 0 && !woken) _exit(0);
    }
    if (count < 0) runner_end("what the host sent cannot be read");
}

void *runner_read(void *unused) {
    (void)unused;
    for (;;) {
        theatre_frame frame;
        const char *fault = NULL;
        int found;
        unsigned frames = 0;
        theatre_outbox_cork(&the_runner.out);
        while ((found = theatre_inbox_next(&the_runner.in, &frame, &fault)) == 1) {
            take(&frame);
            frames += 1;
        }
        theatre_outbox_flush(&the_runner.out);
        if (found < 0) runner_end(fault);
        runner_receive(frames);
    }
}
