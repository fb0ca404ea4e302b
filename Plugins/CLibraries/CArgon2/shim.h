#pragma once

#include <argon2.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Names the calling thread, at most 15 bytes, and has it give way to others: on Linux a priority is a thread's own. */
static inline void cargon2_begin_thread(const char *name, int nice) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
    setpriority(PRIO_PROCESS, 0, nice);
}

/* The priority of the calling thread, -20 to 19. */
static inline int cargon2_priority(void) { return getpriority(PRIO_PROCESS, 0); }
