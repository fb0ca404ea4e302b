// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Runs one plugin instance for a host, in a sandbox. Not for hands: it speaks frames through the memory it was started with.

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect.h"
#include "guard.h"
#include "runner.h"

runner the_runner;

void runner_end(const char *why) {
    dprintf(2, "theatre-runner: %s\n", why);
    _exit(70);
}

void runner_put(const theatre_frame *frame) {
    if (theatre_outbox_put(&the_runner.out, frame) != THEATRE_OUTBOX_OK) _exit(0);
}

void runner_fail(const char *code, const char *expected, const char *found, const char *fix) {
    theatre_frame frame = {.type = THEATRE_FRAME_FAILED,
                           .parts = {runner_text(code), runner_text(expected), runner_text(found), runner_text(fix)}};
    runner_put(&frame);
    _exit(0);
}

/* The first frame: how to run. */
static void receive_begin(theatre_frame *frame) {
    const char *fault = NULL;
    for (;;) {
        int found = theatre_inbox_next(&the_runner.in, frame, &fault);
        if (found < 0) runner_end(fault);
        if (found > 0) break;
        runner_receive(0);
    }
    if (frame->type != THEATRE_FRAME_BEGIN) runner_end("the first frame does not begin");
}

static void be_ready(const guard_report *report) {
    theatre_frame frame = {.type = THEATRE_FRAME_READY,
                           .numbers = {report->enforced, report->missing},
                           .parts = {runner_text(report->why)}};
    runner_put(&frame);
}

static int is_socket(int descriptor) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

int main(int count, char **words) {
    if (count != 2 || strcmp(words[1], "--instance") != 0 || !is_socket(RUNNER_SOCKET)) {
        fprintf(stderr, "theatre-runner runs a plugin for a TheatreOS host, which starts it; not for hands.\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    if (theatre_pipe_open(&the_runner.pipe, RUNNER_MEMORY, RUNNER_SOCKET, 0) != 0) runner_end("there is no pipe");
    close(RUNNER_MEMORY);
    theatre_outbox_open(&the_runner.out, &the_runner.pipe, RUNNER_OUTBOX_MOST, 1);
    if (theatre_inbox_open(&the_runner.in, &the_runner.pipe, RUNNER_FRAME_MOST, THEATRE_FROM_HOST) != 0)
        runner_end("there is no memory");
    theatre_frame begin;
    receive_begin(&begin);
    guard_wish wish;
    guard_read_wish(&wish, &begin);
    guard_first();
    runner_watch_signals((wish.flags & THEATRE_BEGIN_STACK) != 0);
    runner_fill_host();
    if (wish.flags & THEATRE_BEGIN_CONNECT) connect_through_host();
    runner_load(begin.parts[0]);
    guard_report report = {0};
    guard_close(&wish, &report);
    if (wish.flags & THEATRE_BEGIN_STRICT && report.missing != 0)
        runner_fail("sandbox.incomplete", "a sandbox with every guard, as require_sandbox: strict asks", report.why,
                    "run the host where these are permitted, or set require_sandbox to best");
    be_ready(&report);
    pthread_t thread;
    if (pthread_create(&thread, NULL, runner_read, NULL) != 0) runner_end("there is no thread");
    pthread_detach(thread);
    runner_control();
}
