// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "runner_calls.h"

#include <stddef.h>

#include "theatre_spin.h"

/* Set in the id of a call the plugin makes; below it the entry's index, above it how often the entry was used. */
#define MADE (1ull << 31)
#define MADE_MOST 4096u
#define SERVED_MOST 65536u
#define ENDED UINT64_MAX

typedef struct call {
    theatre_id id; /* 0: free */
    uint64_t sequence;
    int64_t credit;
    uint32_t next; /* in its chain, or in the list of the free: index + 1 */
    uint32_t uses;
    uint8_t streams, cancelled, expired;
} call;

typedef struct pool {
    call *calls;
    uint32_t used, most, free; /* free: index + 1 */
} pool;

static call served_calls[SERVED_MOST], made_calls[MADE_MOST];
static uint32_t heads[SERVED_MOST];
static pool served = {served_calls, 0, SERVED_MOST, 0}, made = {made_calls, 0, MADE_MOST, 0};

static theatre_spin held;

static void lock(void) { theatre_spin_lock(&held); }
static void unlock(void) { theatre_spin_unlock(&held); }

static call *take(pool *pool) {
    if (pool->free != 0) {
        call *taken = &pool->calls[pool->free - 1];
        pool->free = taken->next;
        return taken;
    }
    return pool->used < pool->most ? &pool->calls[pool->used++] : NULL;
}

static void give(pool *pool, call *call) {
    call->id = 0;
    call->next = pool->free;
    pool->free = (uint32_t)(call - pool->calls) + 1;
}

static uint32_t *head(theatre_id id) { return &heads[(id ^ id >> 32) & (SERVED_MOST - 1)]; }

/* Where the chain refers to a served call; refers to nothing where it is not open. */
static uint32_t *find_served(theatre_id id) {
    uint32_t *link = head(id);
    while (*link != 0 && served_calls[*link - 1].id != id) link = &served_calls[*link - 1].next;
    return link;
}

static call *find(theatre_id id) {
    if (id == 0) return NULL;
    if (id & MADE) {
        uint64_t index = id & (MADE - 1);
        return index < MADE_MOST && made_calls[index].id == id ? &made_calls[index] : NULL;
    }
    uint32_t *link = find_served(id);
    return *link ? &served_calls[*link - 1] : NULL;
}

static void begin(call *call, theatre_id id, int streams) {
    call->id = id;
    call->sequence = 0;
    call->credit = THEATRE_STREAM_CREDIT;
    call->streams = streams != 0;
    call->cancelled = call->expired = 0;
}

int calls_serve(theatre_id id, int streams) {
    lock();
    call *taken = find(id) == NULL ? take(&served) : NULL;
    if (taken != NULL) {
        begin(taken, id, streams);
        uint32_t *first = head(id);
        taken->next = *first;
        *first = (uint32_t)(taken - served_calls) + 1;
    }
    unlock();
    return taken != NULL;
}

theatre_id calls_make(int streams) {
    theatre_id id = 0;
    lock();
    call *taken = take(&made);
    if (taken != NULL) {
        taken->uses += 1;
        id = (uint64_t)taken->uses << 32 | MADE | (uint64_t)(taken - made_calls);
        begin(taken, id, streams);
    }
    unlock();
    return id;
}

int calls_end(theatre_id id) {
    int found = CALL_UNKNOWN;
    lock();
    call *call = find(id);
    if (call != NULL) {
        found = call->expired ? CALL_EXPIRED : CALL_LIVE;
        if (id & MADE) {
            give(&made, call);
        } else {
            *find_served(id) = call->next;
            give(&served, call);
        }
    }
    unlock();
    return found;
}

void calls_cancel(theatre_id id, uint32_t reason) {
    lock();
    call *call = find(id);
    if (call != NULL) {
        call->cancelled = 1;
        call->expired |= reason == THEATRE_CANCEL_DEADLINE;
    }
    unlock();
}

int calls_is_live(theatre_id id) {
    lock();
    call *call = find(id);
    int live = call != NULL && !call->cancelled;
    unlock();
    return live;
}

void calls_credit(theatre_id id, uint64_t bytes) {
    static const int64_t most = 1ll << 40;
    lock();
    call *call = find(id);
    if (call != NULL && call->credit < most) call->credit += bytes < (uint64_t)most ? (int64_t)bytes : most;
    unlock();
}

theatre_code calls_claim(theatre_id id, uint64_t sequence, uint64_t size, int ends) {
    theatre_code code = THEATRE_OK;
    lock();
    call *call = find(id);
    if (call == NULL || call->expired) {
        code = THEATRE_NOT_FOUND;
    } else if (!call->streams || call->sequence == ENDED) {
        code = THEATRE_FAILED_PRECONDITION;
    } else if (sequence != call->sequence) {
        code = THEATRE_INVALID_ARGUMENT;
    } else if (call->credit <= 0 && !(ends && size == 0)) {
        code = THEATRE_RESOURCE_EXHAUSTED;
    } else {
        call->sequence = ends ? ENDED : sequence + 1;
        call->credit -= (int64_t)size;
    }
    unlock();
    return code;
}
