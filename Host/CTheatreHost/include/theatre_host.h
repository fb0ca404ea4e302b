/* Small C pieces that the host needs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_HOST_H
#define THEATRE_HOST_H
#include "theatre_plugin.h"

/* What the dispatcher remembers of a thread: how deep calls into plugins nest on it, and what waits for the
 * outermost of them to return. */
typedef struct theatre_thread {
    uint32_t depth;
    void *deferred;
    uint64_t random;
} theatre_thread;

extern _Thread_local theatre_thread theatre_this_thread;

static inline uint32_t theatre_thread_depth(void) { return theatre_this_thread.depth; }
static inline void theatre_thread_enter(void) { theatre_this_thread.depth += 1; }
static inline uint32_t theatre_thread_leave(void) { return theatre_this_thread.depth -= 1; }
static inline void *theatre_thread_deferred(void) { return theatre_this_thread.deferred; }
static inline void theatre_thread_set_deferred(void *queue) { theatre_this_thread.deferred = queue; }

/* A random number from this thread's generator; for span ids, not for secrets. Never 0. */
uint64_t theatre_thread_random(void);

/* Copies the three texts into this thread's buffer, shortened to fit, and points *error at the copies, which stay
 * until this thread's next call of this function. */
void theatre_thread_keep_error(theatre_error *error, theatre_bytes reason, theatre_bytes message, theatre_bytes detail);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds. */
uint64_t theatre_clock_monotonic(void);
uint64_t theatre_clock_wall(void);

/* Sleeps this many nanoseconds of CLOCK_MONOTONIC; for threads of the host's own. */
void theatre_clock_pause(uint64_t nanoseconds);

/* Starts a detached thread with every signal blocked; 0, or an errno. The name is cut to 15 bytes. */
int32_t theatre_thread_start(const char *name, void (*body)(void *), void *argument);

#endif
