// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "theatre_calls.h"

#include <errno.h>
#include <stdlib.h>

int theatre_calls_open(theatre_calls *calls) {
    calls->pending = NULL;
    calls->entries = calloc(THEATRE_CALLS_MOST, sizeof *calls->entries);
    calls->heads = calloc(THEATRE_CALLS_MOST, sizeof *calls->heads);
    if (calls->entries == NULL || calls->heads == NULL) {
        free(calls->entries);
        free(calls->heads);
        calls->entries = NULL;
        calls->heads = NULL;
        return ENOMEM;
    }
    return 0;
}

void theatre_calls_close(theatre_calls *calls) {
    theatre_spin_lock(&calls->lock);
    free(calls->entries);
    free(calls->heads);
    calls->entries = NULL;
    calls->heads = NULL;
    calls->pending = NULL;
    theatre_spin_unlock(&calls->lock);
}

/* The entry that an id of the runner's names, used or not; null for ids it may not make. */
static theatre_call *entry(theatre_calls *calls, theatre_id runner) {
    uint64_t index = runner & (THEATRE_CALLER_SIDE - 1);
    if (calls->entries == NULL || (runner & THEATRE_CALLER_SIDE) == 0 || index >= THEATRE_CALLS_MOST) return NULL;
    return &calls->entries[index];
}

static uint32_t *head(theatre_calls *calls, theatre_id host) {
    return &calls->heads[(host ^ host >> 32) & (THEATRE_CALLS_MOST - 1)];
}

static theatre_id host_of(const theatre_call *call) { return __atomic_load_n(&call->host, __ATOMIC_ACQUIRE); }

theatre_id *theatre_calls_begin(theatre_calls *calls, theatre_id runner) {
    theatre_spin_lock(&calls->lock);
    theatre_call *call = entry(calls, runner);
    if (call != NULL && call->runner == 0) {
        *call = (theatre_call){.runner = runner};
        calls->pending = call;
    } else {
        call = NULL;
    }
    theatre_spin_unlock(&calls->lock);
    return call ? &call->host : NULL;
}

void theatre_calls_began(theatre_calls *calls, int started) {
    theatre_spin_lock(&calls->lock);
    theatre_call *call = calls->pending;
    calls->pending = NULL;
    if (call != NULL && started) {
        uint32_t *first = head(calls, call->host);
        call->next = *first;
        *first = (uint32_t)(call - calls->entries) + 1;
    } else if (call != NULL) {
        call->runner = 0;
    }
    theatre_spin_unlock(&calls->lock);
}

theatre_id theatre_calls_runner(theatre_calls *calls, theatre_id host, int ends) {
    theatre_id found = 0;
    theatre_spin_lock(&calls->lock);
    if (calls->entries == NULL) {
        theatre_spin_unlock(&calls->lock);
        return 0;
    }
    theatre_call *call = calls->pending;
    if (call != NULL && host_of(call) == host) {
        found = call->runner;
        if (ends) {
            call->runner = 0;
            calls->pending = NULL;
        }
    } else {
        for (uint32_t *link = head(calls, host); *link != 0; link = &calls->entries[*link - 1].next) {
            call = &calls->entries[*link - 1];
            if (call->host != host) continue;
            found = call->runner;
            if (ends) {
                *link = call->next;
                call->runner = 0;
            }
            break;
        }
    }
    theatre_spin_unlock(&calls->lock);
    return found;
}

theatre_id theatre_calls_host(theatre_calls *calls, theatre_id runner) {
    theatre_spin_lock(&calls->lock);
    theatre_call *call = entry(calls, runner);
    theatre_id found = call != NULL && call->runner == runner ? host_of(call) : 0;
    theatre_spin_unlock(&calls->lock);
    return found;
}
