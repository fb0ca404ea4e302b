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

/* The fault comes again once this returns, and then ends the process. One that was sent from outside does not: it is
 * made here, since what is sent does not end the first process of a namespace. */
static void faulted(int number, siginfo_t *info, void *context) {
    (void)context;
    write_stack();
    signal(number, SIG_DFL);
    if (number == SIGTRAP) _exit(128 + number);
    if (info->si_code <= 0) *(volatile int *)NULL = number;
}

static void watch(int number, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_ONSTACK | SA_SIGINFO};
    sigaction(number, &action, NULL);
}

void runner_watch_signals(int with_stack) {
    writes_stack = with_stack;
    signal(SIGABRT, aborted);
    const int faults[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) watch(faults[i], faulted);
    if (!with_stack) return;
    void *first[1];
    (void)backtrace(first, 1); /* loads what it needs while files can be opened */
    static uint8_t memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    sigaltstack(&stack, NULL);
}
