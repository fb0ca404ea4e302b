/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "theatre_host.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

_Thread_local theatre_thread theatre_this_thread;

static _Thread_local uint8_t kept[2048];

/* Lanes that threads which ended have left, and how many were ever given. */
static pthread_mutex_t lanes_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t free_lanes[THEATRE_LANE_SHARED], free_count, given_count;
static pthread_key_t lane_key;
static int has_lane_key;

/* Runs at the end of a thread. What other destructors still do on it goes by the shared lane. */
static void leave_lane(void *raw) {
    theatre_thread *thread = raw;
    uint32_t lane = thread->lane;
    thread->lane = THEATRE_LANE_SHARED;
    pthread_mutex_lock(&lanes_lock);
    free_lanes[free_count++] = lane;
    pthread_mutex_unlock(&lanes_lock);
}

void theatre_thread_take_lane(theatre_thread *thread) {
    uint32_t lane = THEATRE_LANE_SHARED;
    pthread_mutex_lock(&lanes_lock);
    if (!has_lane_key) has_lane_key = pthread_key_create(&lane_key, leave_lane) == 0;
    if (has_lane_key && (free_count > 0 || given_count + 1 < THEATRE_LANE_SHARED)) {
        lane = free_count > 0 ? free_lanes[--free_count] : ++given_count;
        /* A lane that would not be given back is none. */
        if (pthread_setspecific(lane_key, thread) != 0) {
            free_lanes[free_count++] = lane;
            lane = THEATRE_LANE_SHARED;
        }
    }
    pthread_mutex_unlock(&lanes_lock);
    thread->lane = lane;
}

void theatre_thread_seed(theatre_thread *thread) {
    if (getrandom(&thread->random, sizeof thread->random, GRND_NONBLOCK) < 0 || thread->random == 0)
        thread->random = theatre_clock_wall() ^ (uint64_t)(uintptr_t)thread;
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

theatre_ticks theatre_clock_ticks;

#if defined(__x86_64__)
/* For how long a reading is continued. */
#define CONTINUED 20000u
/* The time over which the counter's pace is measured, and how precisely both ends of it must be known: to 100 ppm. */
#define MEASURED 10000000u
#define PRECISE 500u

/* The counter goes on at one pace, whatever the processor does. */
static int is_steady(void) {
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

static atomic_int is_undecided = 1;

/* Compares the counter with the clock, and once more when enough time has passed. */
static void measure(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint64_t first_ticks, first_time;
    if (pthread_mutex_trylock(&lock) != 0) return;
    if (first_ticks == 0 && !is_steady()) atomic_store(&is_undecided, 0);
    uint64_t before = theatre_clock_monotonic(), ticks = __builtin_ia32_rdtsc(), time = theatre_clock_monotonic();
    uint64_t nanoseconds = time - first_time, passed = ticks - first_ticks;
    if (!atomic_load(&is_undecided) || time - before >= PRECISE) {
        /* Nothing, or not now. */
    } else if (first_ticks == 0 || nanoseconds > 1u << 30) {
        first_ticks = ticks;
        first_time = time;
    } else if (nanoseconds >= MEASURED) {
        atomic_store(&is_undecided, 0);
        /* Between 100 MHz and 20 GHz: what is neither is no such counter. */
        if (passed > nanoseconds / 10 && passed < nanoseconds * 20) {
            uint64_t scale = (nanoseconds << 32) / passed;
            atomic_store_explicit(&theatre_clock_ticks.scale, scale, memory_order_relaxed);
            atomic_store_explicit(&theatre_clock_ticks.window, ((uint64_t)CONTINUED << 32) / scale,
                                  memory_order_release);
        }
    }
    pthread_mutex_unlock(&lock);
}

uint64_t theatre_clock_renew(theatre_thread *thread) {
    if (atomic_load_explicit(&is_undecided, memory_order_relaxed)) measure();
    /* The counter first: if the thread is held up in between, the reading is not continued for longer than it may. */
    thread->ticks = __builtin_ia32_rdtsc();
    thread->time = theatre_clock_monotonic();
    return thread->time;
}
#else
uint64_t theatre_clock_renew(theatre_thread *thread) {
    (void)thread;
    return theatre_clock_monotonic();
}
#endif

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
