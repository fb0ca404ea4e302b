// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// From CONFIGURED to RETIRED.

#define _GNU_SOURCE
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "faulty.h"

/* A signal came that should have ended the process. */
static volatile sig_atomic_t is_wounded;

static void survive(int number) {
    (void)number;
    is_wounded = 1;
}

static void *bleed(void *unused) {
    (void)unused;
    sleep(2);
    _exit(1);
}

/* Answers as long as it can, and ends a while later. */
static theatre_code invoke_wounded(void *self, const theatre_request *request) {
    static atomic_flag is_bleeding = ATOMIC_FLAG_INIT;
    if (!is_wounded) return faulty_invoke(self, request);
    faulty_fail(self, request->call, THEATRE_UNAVAILABLE, "faulty.wounded", THEATRE_EFFECT_NONE);
    pthread_t thread;
    if (!atomic_flag_test_and_set(&is_bleeding) && pthread_create(&thread, 0, bleed, 0) == 0) pthread_detach(thread);
    return THEATRE_OK;
}

static void *work(void *argument) {
    faulty *me = argument;
    struct timespec pause = {.tv_nsec = 1000000};
    while (!atomic_load(&me->is_ending)) {
        me->host->now(me->host->ctx, THEATRE_CLOCK_MONOTONIC);
        nanosleep(&pause, 0);
    }
    return 0;
}

static void stop_work(faulty *me) {
    atomic_store(&me->is_ending, 1);
    if (me->has_worker) pthread_join(me->worker, 0);
    me->has_worker = 0;
}

static theatre_code activate(void *self, theatre_error *error) {
    faulty *me = self;
    if (me->fault == fault_survives_signals) {
        struct sigaction action = {.sa_handler = survive};
        sigaction(SIGSEGV, &action, 0);
        sigaction(SIGABRT, &action, 0);
    }
    if (me->fault == fault_works_on_after_deactivate) {
        if (pthread_create(&me->worker, 0, work, me) != 0)
            return fixture_fail(error, THEATRE_RESOURCE_EXHAUSTED, "faulty.thread", "There is no thread left.");
        me->has_worker = 1;
    }
    return THEATRE_OK;
}

static theatre_code self_test(void *self, theatre_error *error) {
    faulty *me = self;
    (void)error;
    return me->fault == fault_control_error ? THEATRE_INTERNAL : THEATRE_OK;
}

static void deactivate(void *self) {
    faulty *me = self;
    while (me->fault == fault_deactivate_hangs) pause();
    if (me->fault != fault_works_on_after_deactivate) stop_work(me);
}

static void destroy(void *self) {
    faulty *me = self;
    stop_work(me);
    pthread_mutex_destroy(&me->lock);
    free(me);
}

void faulty_fill(faulty *me) {
    me->table = (theatre_instance){.struct_size = sizeof(theatre_instance),
                                   .self = me,
                                   .activate = activate,
                                   .self_test = self_test,
                                   .invoke = me->fault == fault_survives_signals ? invoke_wounded : faulty_invoke,
                                   .reply = me->fault == fault_instance_table ? 0 : faulty_reply,
                                   .cancel = faulty_cancel,
                                   .deactivate = deactivate,
                                   .destroy = destroy};
}
