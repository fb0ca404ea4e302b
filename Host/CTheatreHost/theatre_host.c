/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "theatre_host.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

_Thread_local theatre_thread theatre_this_thread;

static _Thread_local uint8_t kept[2048];

uint64_t theatre_thread_random(void) {
    theatre_thread *thread = &theatre_this_thread;
    if (thread->random == 0 && getrandom(&thread->random, sizeof thread->random, GRND_NONBLOCK) < 0)
        thread->random = theatre_clock_wall() ^ (uint64_t)(uintptr_t)thread;
    uint64_t value;
    do {
        value = thread->random += 0x9e3779b97f4a7c15u;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
        value ^= value >> 31;
    } while (value == 0);
    return value;
}

/* Bytes of UTF-8 that fit, never half a character. */
static uint64_t fitting(theatre_bytes text, uint64_t room) {
    if (text.data == NULL)
        return 0;
    if (text.size <= room)
        return text.size;
    uint64_t size = room;
    while (size > 0 && (text.data[size] & 0xc0) == 0x80)
        size -= 1;
    return size;
}

static theatre_bytes keep(theatre_bytes text, uint64_t *used, uint64_t room) {
    theatre_bytes copy = {kept + *used, fitting(text, room)};
    if (copy.size > 0)
        memcpy(kept + *used, text.data, copy.size);
    *used += copy.size;
    return copy;
}

void theatre_thread_keep_error(theatre_error *error, theatre_bytes reason, theatre_bytes message, theatre_bytes detail) {
    uint64_t used = 0;
    error->reason = keep(reason, &used, 256);
    error->detail = keep(detail, &used, 512);
    error->message = keep(message, &used, sizeof kept - used);
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t theatre_clock_monotonic(void) { return nanoseconds(CLOCK_MONOTONIC); }
uint64_t theatre_clock_wall(void) { return nanoseconds(CLOCK_REALTIME); }

void theatre_clock_pause(uint64_t nanoseconds) {
    struct timespec left = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

struct start {
    void (*body)(void *);
    void *argument;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    start.body(start.argument);
    return NULL;
}

int32_t theatre_thread_start(const char *name, void (*body)(void *), void *argument) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL)
        return ENOMEM;
    *start = (struct start){body, argument};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        free(start);
        return failed;
    }
    char cut[16] = {0};
    strncpy(cut, name, sizeof cut - 1);
    pthread_setname_np(thread, cut);
    pthread_detach(thread);
    return 0;
}
