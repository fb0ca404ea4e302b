/* What the files of the link share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_LINK_PARTS_H
#define THEATRE_LINK_PARTS_H

#include <stdatomic.h>

#include "theatre_calls.h"
#include "theatre_link.h"
#include "theatre_stream.h"

/* Log lines of a runner: at once, and a second from then on; a line counts once more for each KiB it has. */
#define LOG_BURST 2000u
#define LOG_RATE 500u
#define OUTPUT_KEPT 4096u
#define NAME_MOST 256u

/* One control function at a time waits for the runner's answer. */
typedef struct control {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t awaited;     /* THEATRE_STEP_* + 1, or AWAITS_BEGIN; 0 where none waits */
    int answered, ended;
    theatre_frame answer; /* its parts lie in `text` */
    uint8_t text[8192];
} control;
#define AWAITS_BEGIN 100u

struct theatre_link {
    theatre_instance table; /* first; `self` is the link */
    const theatre_host *host;
    theatre_pipe pipe;
    theatre_outbox out;
    theatre_inbox in;
    theatre_calls calls;
    control control;
    theatre_link_parts parts;
    int wake;                 /* eventfd: it is to end */
    atomic_uint why;          /* THEATRE_LINK_* + 1 where the host ends it */
    atomic_ullong offset;     /* of the host's clock, as the runner knows it */
    pthread_t thread;
    int knows_clock;          /* link's thread, as the next two: the clock was told in this batch */
    uint64_t pinged, ponged;
    uint64_t log_room, log_at; /* thousandths of lines that may be logged now; when that was reckoned */
    uint64_t log_dropped, log_told; /* lines dropped since it was told, and when */
    uint64_t quiet_since;     /* CLOCK_MONOTONIC ms of the oldest ping without answer; 0 for none */
    const char *fault;
    char name[NAME_MOST];
    uint8_t output[OUTPUT_KEPT];
    uint32_t output_size;
};

/* Fills in the functions of the table. */
void theatre_link_fill(theatre_link *link);
/* Acts on what the outbox found; false where the runner will never get the frame. */
int theatre_link_act(theatre_link *link, int found);
/* Puts a frame; acts on what the outbox finds. False where the runner will never get it. */
int theatre_link_put(theatre_link *link, const theatre_frame *frame);
/* Acts on one frame of the runner; 0, or static text of what is wrong with it. */
const char *theatre_link_take(theatre_link *link, const theatre_frame *frame);
/* Says how many lines were dropped, once a second at most. */
void theatre_link_tell_dropped(theatre_link *link, uint64_t now);
/* The thread. */
void *theatre_link_run(void *link);
/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t theatre_link_now(void);

#endif
