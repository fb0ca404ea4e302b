/* The calls that an isolated plugin makes: its numbers for them, and the host's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_CALLS_H
#define THEATRE_CALLS_H

#include "theatre_plugin.h"
#include "theatre_spin.h"

/* Set in the id of a call as its caller knows it. */
#define THEATRE_CALLER_SIDE (1ull << 31)
/* Calls that one plugin may have open. */
#define THEATRE_CALLS_MOST 4096u

typedef struct theatre_call {
    theatre_id host, runner; /* runner 0: the entry is free */
    uint32_t next;           /* in its chain: index + 1 */
} theatre_call;

typedef struct theatre_calls {
    theatre_spin lock;
    theatre_call *entries;
    uint32_t *heads;       /* chains by the host's id: index + 1 */
    theatre_call *pending; /* being started: the host writes its id before anyone hears of it */
} theatre_calls;

int theatre_calls_open(theatre_calls *calls);
void theatre_calls_close(theatre_calls *calls);

/* Begins a call under the runner's id; where the host writes its own. Null where the id is not one it may use now. */
theatre_id *theatre_calls_begin(theatre_calls *calls, theatre_id runner);
/* The call was started, or was refused. */
void theatre_calls_began(theatre_calls *calls, int started);
/* The runner's id of a call by the host's, or 0. `ends`: the entry is free from now on. */
theatre_id theatre_calls_runner(theatre_calls *calls, theatre_id host, int ends);
/* The host's id of a call by the runner's, or 0. */
theatre_id theatre_calls_host(theatre_calls *calls, theatre_id runner);

#endif
