// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

#define FRAMES_MOST 64

static int writes_stack;

static void write_stack(void) {
    if (!writes_stack) return;
    static void *frames[FRAMES_MOST];
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MOST), 2);
}

/* The first process of a namespace cannot be ended by a signal it sends itself, so an abort is told as an exit code. */
static void aborted(int number) {
    write_stack();
    _exit(128 + number);
}

/* The fault comes again once this returns, and then ends the process. */
static void faulted(int number) {
    write_stack();
    signal(number, SIG_DFL);
    if (number == SIGTRAP) _exit(128 + number);
}

static void watch(int number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(number, &action, NULL);
}

void runner_watch_signals(int with_stack) {
    writes_stack = with_stack;
    watch(SIGABRT, aborted, 0);
    watch(SIGTRAP, faulted, 0);
    if (!with_stack) return;
    void *first[1];
    (void)backtrace(first, 1); /* loads what it needs while files can be opened */
    static uint8_t memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    sigaltstack(&stack, NULL);
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) watch(faults[i], faulted, SA_ONSTACK);
}
