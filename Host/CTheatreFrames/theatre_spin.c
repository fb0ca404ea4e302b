// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "theatre_spin.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "theatre_processor.h"

/* So often a waiter looks before it lets somebody else run: who holds the lock may be waiting for this processor. */
#define LOOKS 64u

void theatre_spin_wait(theatre_spin *spin) {
    do {
        for (unsigned looks = 1; __atomic_load_n(&spin->held, __ATOMIC_RELAXED) != 0; looks++) {
            if (looks % LOOKS == 0) {
                sched_yield();
            } else {
                THEATRE_PAUSE();
            }
        }
    } while (__atomic_exchange_n(&spin->held, 1, __ATOMIC_ACQUIRE) != 0);
}

void theatre_change_await(theatre_change *change, theatre_spin *lock) {
    uint32_t seen = change->count;
    change->sleepers += 1;
    theatre_spin_unlock(lock);
    (void)syscall(SYS_futex, &change->count, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    theatre_spin_lock(lock);
    change->sleepers -= 1;
}

void theatre_change_tell(theatre_change *change) {
    __atomic_store_n(&change->count, change->count + 1, __ATOMIC_RELAXED);
    if (change->sleepers > 0) (void)syscall(SYS_futex, &change->count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
