/* The host's end of an isolated instance: a theatre_instance table whose functions write frames, and a thread that
 * turns the runner's frames into calls of a theatre_host table.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the runner sends is checked: ids against a table, sizes against limits, order against what was asked. What
 * deviates ends the runner. */
#ifndef THEATRE_LINK_H
#define THEATRE_LINK_H

#include "theatre_frames.h"
#include "theatre_spawn.h"

typedef struct theatre_link theatre_link;

/* Why a link ended. */
#define THEATRE_LINK_BY_ITSELF 0u  /* the runner ended */
#define THEATRE_LINK_REQUESTED 1u  /* theatre_link_end */
#define THEATRE_LINK_MALFORMED 2u  /* it sent what it may not; `fault` says what */
#define THEATRE_LINK_FULL 3u       /* it does not read */
#define THEATRE_LINK_HANGS 4u      /* it does not answer */

/* How a link ended. */
typedef struct theatre_link_end {
    uint32_t why;
    int32_t status;      /* as waitpid gives it; -1 where unknown */
    const char *fault;   /* static text, or null */
    theatre_bytes output; /* the last it wrote to standard output and error; borrowed */
} theatre_link_end;

/* What a link is made of. */
typedef struct theatre_link_parts {
    theatre_child child;     /* its descriptors are taken over, all but `dial` */
    uint64_t frame_limit;    /* most bytes of a frame from the runner */
    uint64_t outbox_limit;   /* most bytes that wait for the runner */
    uint64_t silence_ms;     /* longest time without an answer to a ping; 0 for ever */
    void *owner;
    void (*ended)(void *owner, const theatre_link_end *end); /* once, on the link's thread, as the last thing */
} theatre_link_parts;

/* Starts the thread. Null where there is no memory or thread; then nothing was taken over. The link is never freed: the
 * dispatcher refers to its table for as long as it lives. */
theatre_link *theatre_link_make(const theatre_link_parts *parts);

/* Sends `begin` and waits for the answer, READY or FAILED, whose bytes stay until the next control function; type 0
 * where the runner ended, or `seconds` have passed. */
theatre_frame theatre_link_begin(theatre_link *link, const theatre_frame *begin, uint32_t seconds);

/* As theatre_plugin.create. `calls` has THEATRE_CALL_* of each of the plugin's calls, a byte each. */
theatre_code theatre_link_create(theatre_link *link, const theatre_host *host, const theatre_create *create,
                                 theatre_bytes calls, uint64_t message_limit, theatre_instance **instance,
                                 theatre_error *error);

/* Ends the runner at once, and with it the link. `why` is THEATRE_LINK_*; the first counts. */
void theatre_link_stop(theatre_link *link, uint32_t why);

#endif
