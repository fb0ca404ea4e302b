#pragma once

#include <argon2.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* sched_attr of Linux, in its first size: there is none in the C library. */
struct cargon2_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice, deadline, period;
};

/* Names the calling thread, at most 15 bytes, and has it give way to others: on Linux a priority is a thread's own. A
 * thread that wakes up may have to wait for the slice of the one that runs, however low its priority; so the slice is the
 * shortest there is, a tenth of a millisecond. Kernels before 6.12 know no slice of a thread's own, and ignore it. */
static inline void cargon2_begin_thread(const char *name, int nice) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
    struct cargon2_attributes attributes = {.size = sizeof attributes, .nice = nice, .slice = 100000};
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) setpriority(PRIO_PROCESS, 0, nice);
}

/* The priority of the calling thread, -20 to 19. */
static inline int cargon2_priority(void) { return getpriority(PRIO_PROCESS, 0); }
