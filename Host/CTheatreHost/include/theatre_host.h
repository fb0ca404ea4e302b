/* Small C pieces that the host needs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_HOST_H
#define THEATRE_HOST_H
#include "theatre_plugin.h"

/* Threads with a lane of their own write to counters, buffers and free lists that nobody else writes to. A thread that
 * ends gives its lane, and with it what it wrote, to one that comes later, under a lock. Threads beyond these share the
 * last lane, THEATRE_LANE_SHARED, and write to it atomically. */
#define THEATRE_LANE_SHARED 255u
#define THEATRE_LANES 256u

/* What the dispatcher remembers of a thread: its lane (0: none yet), how deep calls into plugins nest on it, what waits
 * for the outermost of them to return, and the call it is just sending. */
typedef struct theatre_thread {
    uint32_t depth;
    uint32_t lane;
    void *deferred;
    void *invoking;
    uint64_t has_ended; /* the call in `invoking` */
    uint64_t random;
    uint64_t ticks, time; /* of the processor's counter and of CLOCK_MONOTONIC, when both were last read */
} theatre_thread;

extern _Thread_local theatre_thread theatre_this_thread;

/* Gives the calling thread a lane. */
void theatre_thread_take_lane(theatre_thread *thread);

/* The calling thread's; valid until the function that asked returns. It has a lane. */
static inline theatre_thread *theatre_thread_here(void) {
    theatre_thread *thread = &theatre_this_thread;
    if (__builtin_expect(thread->lane == 0, 0)) theatre_thread_take_lane(thread);
    return thread;
}

/* Seeds the thread's generator. */
void theatre_thread_seed(theatre_thread *thread);

/* A random number from the thread's generator; for span ids, not for secrets. Never 0. */
static inline uint64_t theatre_thread_random(theatre_thread *thread) {
    if (__builtin_expect(thread->random == 0, 0)) theatre_thread_seed(thread);
    uint64_t value;
    do {
        value = thread->random += 0x9e3779b97f4a7c15u;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
        value ^= value >> 31;
    } while (__builtin_expect(value == 0, 0));
    return value;
}

/* Writes 16 lower-case hexadecimal digits, eight at a time: each nibble gets a byte, and those above 9 the distance from
 * '9' to 'a' more. */
static inline void theatre_write_hex(uint64_t value, uint8_t *out) {
    for (int half = 0; half < 2; half++) {
        uint64_t x = half == 0 ? value >> 32 : value & 0xffffffffu;
        x = (x | x << 16) & 0x0000ffff0000ffffu;
        x = (x | x << 8) & 0x00ff00ff00ff00ffu;
        x = (x | x << 4) & 0x0f0f0f0f0f0f0f0fu;
        uint64_t above = (x + 0x0606060606060606u) >> 4 & 0x0101010101010101u;
        uint64_t digits = __builtin_bswap64(x + 0x3030303030303030u + above * 39);
        __builtin_memcpy(out + 8 * half, &digits, 8);
    }
}

/* Copies the three texts into this thread's buffer, shortened to fit, and points *error at the copies, which stay
 * until this thread's next call of this function. */
void theatre_thread_keep_error(theatre_error *error, theatre_bytes reason, theatre_bytes message, theatre_bytes detail);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds. */
uint64_t theatre_clock_monotonic(void);
uint64_t theatre_clock_wall(void);

/* How the processor's counter and CLOCK_MONOTONIC go together. `window` is 0 where that is not known, or the counter may
 * stop or change its pace. */
typedef struct theatre_ticks {
    _Atomic uint64_t window; /* ticks for which a reading of the clock may be continued by the counter */
    _Atomic uint64_t scale;  /* 2^32 nanoseconds by ticks */
} theatre_ticks;

extern theatre_ticks theatre_clock_ticks;

/* Reads CLOCK_MONOTONIC and the counter for `thread`. */
uint64_t theatre_clock_renew(theatre_thread *thread);

/* CLOCK_MONOTONIC for a third of its price: for 20 us after a reading, the thread goes on from it by the processor's
 * counter. Whatever the counter does, this is never off by more than those 20 us, and two threads may see it a few
 * nanoseconds apart: for durations and deadlines, not for order. */
static inline uint64_t theatre_clock_quick(theatre_thread *thread) {
#if defined(__x86_64__)
    uint64_t window = __c11_atomic_load(&theatre_clock_ticks.window, __ATOMIC_ACQUIRE);
    uint64_t passed = __builtin_ia32_rdtsc() - thread->ticks;
    if (__builtin_expect(passed < window, 1))
        return thread->time + (passed * __c11_atomic_load(&theatre_clock_ticks.scale, __ATOMIC_RELAXED) >> 32);
#endif
    return theatre_clock_renew(thread);
}

/* Sleeps this many nanoseconds of CLOCK_MONOTONIC; for threads of the host's own. */
void theatre_clock_pause(uint64_t nanoseconds);

/* Starts a detached thread with every signal blocked; 0, or an errno. The name is cut to 15 bytes. */
int32_t theatre_thread_start(const char *name, void (*body)(void *), void *argument);

#endif
