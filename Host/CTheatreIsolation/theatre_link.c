// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "theatre_link_parts.h"

uint64_t theatre_link_now(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000u + (uint64_t)time.tv_nsec / 1000000u;
}

static int open_parts(theatre_link *link) {
    const theatre_link_parts *parts = &link->parts;
    link->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (link->wake < 0) return 0;
    if (theatre_pipe_open(&link->pipe, parts->child.memory, parts->child.socket, 1) != 0) return 0;
    if (theatre_calls_open(&link->calls) != 0) return 0;
    if (theatre_inbox_open(&link->in, &link->pipe, parts->frame_limit, THEATRE_FROM_RUNNER) != 0) return 0;
    theatre_outbox_open(&link->out, &link->pipe, parts->outbox_limit, 0);
    return 1;
}

/* Gives back what open_parts made, as far as it came. */
static void close_parts(theatre_link *link) {
    if (link->calls.entries != NULL) theatre_calls_close(&link->calls);
    theatre_inbox_close(&link->in);
    theatre_pipe_close(&link->pipe);
    if (link->wake >= 0) close(link->wake);
    free(link);
}

theatre_link *theatre_link_make(const theatre_link_parts *parts) {
    theatre_link *link = calloc(1, sizeof *link);
    if (link == NULL) return NULL;
    link->parts = *parts;
    link->wake = -1;
    if (!open_parts(link)) {
        close_parts(link);
        return NULL;
    }
    pthread_mutex_init(&link->control.lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&link->control.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    theatre_link_fill(link);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, theatre_link_run, link);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        close_parts(link);
        return NULL;
    }
    close(link->parts.child.memory); /* it is mapped */
    pthread_setname_np(thread, "theatre-link");
    pthread_detach(thread);
    return link;
}

void theatre_link_stop(theatre_link *link, uint32_t why) {
    unsigned none = 0;
    atomic_compare_exchange_strong(&link->why, &none, why + 1);
    pthread_mutex_lock(&link->control.lock);
    if (!link->control.ended) {
        const uint64_t one = 1;
        theatre_child_kill(link->parts.child.pidfd);
        (void)!write(link->wake, &one, sizeof one); /* a full counter wakes too */
    }
    pthread_mutex_unlock(&link->control.lock);
}

int theatre_link_act(theatre_link *link, int found) {
    if (found == THEATRE_OUTBOX_FULL) theatre_link_stop(link, THEATRE_LINK_FULL);
    if (found == THEATRE_OUTBOX_BROKEN) theatre_link_stop(link, THEATRE_LINK_MALFORMED);
    return found == THEATRE_OUTBOX_OK || found == THEATRE_OUTBOX_STUCK;
}

int theatre_link_put(theatre_link *link, const theatre_frame *frame) {
    return theatre_link_act(link, theatre_outbox_put(&link->out, frame));
}

/* Waits for the answer, until `seconds` have passed where that is not 0; under the lock. */
static void wait_for_answer(control *control, uint32_t seconds) {
    struct timespec until = {0};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    while (!control->answered && !control->ended) {
        if (seconds == 0) {
            pthread_cond_wait(&control->changed, &control->lock);
        } else if (pthread_cond_timedwait(&control->changed, &control->lock, &until) == ETIMEDOUT) {
            return;
        }
    }
}

/* Sends a frame and waits for the answer that `awaited` names; false where the runner ended, or the time is over. Under
 * no lock. */
static int ask(theatre_link *link, const theatre_frame *frame, uint32_t awaited, uint32_t seconds) {
    control *control = &link->control;
    pthread_mutex_lock(&control->lock);
    control->awaited = awaited;
    control->answered = 0;
    pthread_mutex_unlock(&control->lock);
    theatre_link_put(link, frame);
    pthread_mutex_lock(&control->lock);
    wait_for_answer(control, seconds);
    int answered = control->answered;
    control->awaited = 0;
    pthread_mutex_unlock(&control->lock);
    return answered;
}

theatre_frame theatre_link_begin(theatre_link *link, const theatre_frame *begin, uint32_t seconds) {
    return ask(link, begin, AWAITS_BEGIN, seconds) ? link->control.answer : (theatre_frame){0};
}

static theatre_bytes text(const char *text) { return (theatre_bytes){(const uint8_t *)text, strlen(text)}; }

/* What the runner answered, as the control function's own. */
static theatre_code told(const theatre_frame *answer, theatre_error *error) {
    theatre_code code = (theatre_code)(uint32_t)answer->numbers[1];
    if (code == THEATRE_OK || error == NULL) return code;
    *error = (theatre_error){.struct_size = sizeof *error,
                             .code = code,
                             .effect = (uint32_t)answer->numbers[2],
                             .retry = (uint32_t)answer->numbers[3],
                             .retry_after_ms = answer->numbers[4],
                             .reason = answer->parts[0],
                             .message = answer->parts[1],
                             .detail = answer->parts[2]};
    return code;
}

static theatre_code gone(theatre_error *error) {
    if (error != NULL)
        *error = (theatre_error){.struct_size = sizeof *error,
                                 .code = THEATRE_UNAVAILABLE,
                                 .retry = THEATRE_RETRY_SAFE,
                                 .reason = text("instance.crashed"),
                                 .message = text("Its process ended meanwhile.")};
    return THEATRE_UNAVAILABLE;
}

static theatre_code step(theatre_link *link, uint32_t step, theatre_error *error) {
    theatre_frame frame = {.type = THEATRE_FRAME_CONTROL, .numbers = {step}};
    return ask(link, &frame, step + 1, 0) ? told(&link->control.answer, error) : gone(error);
}

static theatre_code activate(void *self, theatre_error *error) { return step(self, THEATRE_STEP_ACTIVATE, error); }
static theatre_code self_test(void *self, theatre_error *error) { return step(self, THEATRE_STEP_SELF_TEST, error); }
static void deactivate(void *self) { (void)step(self, THEATRE_STEP_DEACTIVATE, NULL); }
static void destroy(void *self) { (void)step(self, THEATRE_STEP_DESTROY, NULL); }

/* How far the host's clock is ahead of the machine's, where it could be told precisely. */
static int offset(const theatre_host *host, uint64_t *found) {
    struct timespec before = {0}, after = {0};
    clock_gettime(CLOCK_MONOTONIC, &before);
    uint64_t now = host->now(host->ctx, THEATRE_CLOCK_MONOTONIC);
    clock_gettime(CLOCK_MONOTONIC, &after);
    uint64_t first = (uint64_t)before.tv_sec * 1000000000u + (uint64_t)before.tv_nsec;
    uint64_t last = (uint64_t)after.tv_sec * 1000000000u + (uint64_t)after.tv_nsec;
    *found = now - first;
    return last - first < 50000;
}

/* A clock that was put forward is told before whatever is sent next. */
static void tell_clock(theatre_link *link) {
    /* Once is enough for what the link's thread sends for one batch of frames. */
    if (pthread_equal(link->thread, pthread_self())) {
        if (link->knows_clock) return;
        link->knows_clock = 1;
    }
    uint64_t now;
    if (!offset(link->host, &now)) return;
    uint64_t known = atomic_load_explicit(&link->offset, memory_order_relaxed);
    int64_t moved = (int64_t)(now - known);
    if (moved > -1000000 && moved < 1000000) return;
    atomic_store_explicit(&link->offset, now, memory_order_relaxed);
    theatre_frame frame = {.type = THEATRE_FRAME_CLOCK, .numbers = {now}};
    theatre_link_put(link, &frame);
}

theatre_code theatre_link_create(theatre_link *link, const theatre_host *host, const theatre_create *create,
                                 theatre_bytes calls, uint64_t message_limit, theatre_instance **instance,
                                 theatre_error *error) {
    link->host = host;
    uint64_t ahead = 0;
    for (int i = 0; i < 100 && !offset(host, &ahead); i++) {
    }
    atomic_store(&link->offset, ahead);
    uint64_t size = create->instance.size < NAME_MOST - 1 ? create->instance.size : NAME_MOST - 1;
    memcpy(link->name, create->instance.data, size);
    theatre_frame frame = {
        .type = THEATRE_FRAME_CREATE,
        .numbers = {create->generation, ahead, message_limit},
        .parts = {create->instance, create->configuration, create->environment, create->manifest, calls}};
    if (!ask(link, &frame, THEATRE_STEP_CREATE + 1, 0)) return gone(error);
    theatre_code code = told(&link->control.answer, error);
    *instance = code == THEATRE_OK ? &link->table : NULL;
    return code;
}

static theatre_code invoke(void *self, const theatre_request *request) {
    theatre_link *link = self;
    tell_clock(link);
    theatre_frame frame = {
        .type = THEATRE_FRAME_REQUEST,
        .call = request->call,
        .numbers = {request->operation, request->on_behalf_of, request->deadline_ns, request->attempt, request->flags},
        .parts = {request->payload, request->idempotency_key, request->context, request->attributes}};
    int found = theatre_outbox_offer(&link->out, &frame);
    if (found == THEATRE_OUTBOX_FILLING) return THEATRE_RESOURCE_EXHAUSTED;
    /* One that broke the pipe was taken: it learns of the end as any call under way. */
    int taken = theatre_link_act(link, found) || found == THEATRE_OUTBOX_BROKEN;
    return taken ? THEATRE_OK : THEATRE_UNAVAILABLE;
}

static theatre_code reply(void *self, theatre_id call, const theatre_result *result) {
    theatre_link *link = self;
    theatre_id known = theatre_calls_runner(&link->calls, call, 1);
    if (known == 0) return THEATRE_NOT_FOUND;
    tell_clock(link);
    theatre_frame frame = {.type = THEATRE_FRAME_ANSWER, .call = known, .parts = {result->payload}};
    if (result->code != THEATRE_OK) {
        frame.type = THEATRE_FRAME_RESULT;
        frame.numbers[0] = (uint32_t)result->code;
    }
    if (result->error != NULL) {
        const theatre_error *error = result->error;
        frame.type = THEATRE_FRAME_RESULT;
        frame.numbers[1] = error->effect;
        frame.numbers[2] = error->retry;
        frame.numbers[3] = error->retry_after_ms;
        frame.numbers[4] = THEATRE_RESULT_ERROR;
        frame.parts[1] = error->reason;
        frame.parts[2] = error->message;
        frame.parts[3] = error->detail;
    }
    return theatre_link_put(link, &frame) ? THEATRE_OK : THEATRE_UNAVAILABLE;
}

/* The id that the runner knows a call by: the host's for those it serves, its own for those it made. 0 for neither. */
static theatre_id known(theatre_link *link, theatre_id call) {
    return call & THEATRE_CALLER_SIDE ? theatre_calls_runner(&link->calls, call, 0) : call;
}

static theatre_code send_chunk(void *self, theatre_id call, const theatre_chunk *chunk) {
    theatre_link *link = self;
    theatre_frame frame = {.type = THEATRE_FRAME_CHUNK,
                           .call = known(link, call),
                           .numbers = {chunk->seq, chunk->flags},
                           .parts = {chunk->data}};
    if (frame.call == 0) return THEATRE_NOT_FOUND;
    return theatre_link_put(link, &frame) ? THEATRE_OK : THEATRE_UNAVAILABLE;
}

static void credit(void *self, theatre_id call, uint64_t bytes) {
    theatre_frame frame = {.type = THEATRE_FRAME_CREDIT, .call = known(self, call), .numbers = {bytes}};
    if (frame.call != 0) theatre_link_put(self, &frame);
}

static void cancel(void *self, theatre_id call, uint32_t reason) {
    theatre_frame frame = {.type = THEATRE_FRAME_CANCEL, .call = known(self, call), .numbers = {reason}};
    if (frame.call != 0) theatre_link_put(self, &frame);
}

void theatre_link_fill(theatre_link *link) {
    link->table = (theatre_instance){.struct_size = sizeof link->table,
                                     .self = link,
                                     .activate = activate,
                                     .self_test = self_test,
                                     .invoke = invoke,
                                     .reply = reply,
                                     .send = send_chunk,
                                     .credit = credit,
                                     .cancel = cancel,
                                     .deactivate = deactivate,
                                     .destroy = destroy};
}
