/* The calls that are open, for is_live, for stream credit, and for the ids of calls the plugin makes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNNER_CALLS_H
#define RUNNER_CALLS_H

#include "theatre_plugin.h"

/* What is known of a call that ends. */
#define CALL_UNKNOWN 0
#define CALL_LIVE 1
#define CALL_EXPIRED 2

/* A call to serve; false where too many are open. `streams`: the plugin sends chunks. */
int calls_serve(theatre_id call, int streams);
/* A call the plugin makes: its id, or 0 where too many are open. */
theatre_id calls_make(int streams);
/* Forgets a call; CALL_*. */
int calls_end(theatre_id call);
/* The answer is no longer wanted. */
void calls_cancel(theatre_id call, uint32_t reason);
int calls_is_live(theatre_id call);
/* The other end takes this much more. */
void calls_credit(theatre_id call, uint64_t bytes);
/* Takes the next place of the plugin's chunks and its credit; as theatre_host.send. */
theatre_code calls_claim(theatre_id call, uint64_t sequence, uint64_t size, int ends);

#endif
