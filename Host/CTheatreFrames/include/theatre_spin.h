/* A lock for what takes some instructions: half the price of a mutex, and no memory barrier where it is let go. Whoever
 * waits long lets others run; what has to wait for something else waits on a count.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_SPIN_H
#define THEATRE_SPIN_H

#include <stdint.h>

typedef struct theatre_spin {
    uint32_t held;
} theatre_spin;

void theatre_spin_wait(theatre_spin *spin);

static inline void theatre_spin_lock(theatre_spin *spin) {
    if (__atomic_exchange_n(&spin->held, 1, __ATOMIC_ACQUIRE) != 0) theatre_spin_wait(spin);
}

static inline void theatre_spin_unlock(theatre_spin *spin) { __atomic_store_n(&spin->held, 0, __ATOMIC_RELEASE); }

/* A count of how often something changed, which threads may sleep on. All zero is one that never changed. */
typedef struct theatre_change {
    uint32_t count, sleepers; /* under the lock that the changes are made under; `count` is a futex */
} theatre_change;

/* Leaves the lock until the next change. */
void theatre_change_await(theatre_change *change, theatre_spin *lock);
/* Wakes all who wait; under the lock. */
void theatre_change_tell(theatre_change *change);

#endif
