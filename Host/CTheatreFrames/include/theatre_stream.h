/* Frames over a pipe, with what gathers while a write is under way going out together.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_STREAM_H
#define THEATRE_STREAM_H

#include <pthread.h>

#include "theatre_frames.h"
#include "theatre_pipe.h"
#include "theatre_spin.h"

/* Frames that wait to be written. Any thread may put; whoever finds no write under way writes. */
typedef struct theatre_outbox {
    theatre_spin lock;
    theatre_change room;
    uint8_t *bytes, *other;         /* what gathers, and what is being written */
    uint64_t size, capacity, other_capacity;
    uint64_t start, end;            /* of `other`: what is not written yet */
    uint64_t limit;                 /* most bytes that wait */
    theatre_pipe *pipe;
    uint8_t writing, closed, broken, blocks, stuck;
    pthread_t corker;               /* whose frames gather until theatre_outbox_flush, where `corked` */
    uint8_t corked;
} theatre_outbox;

/* What a put or a flush found. */
#define THEATRE_OUTBOX_OK 0
#define THEATRE_OUTBOX_CLOSED 1 /* the other end is gone */
#define THEATRE_OUTBOX_FULL 2   /* the other end does not read; nothing was put, and the box is closed */
#define THEATRE_OUTBOX_STUCK 3  /* put, but the pipe takes no more now: call theatre_outbox_flush at the next wake */
#define THEATRE_OUTBOX_FILLING 4 /* not put: more than half of the limit waits */
#define THEATRE_OUTBOX_BROKEN 5 /* the other end's counts make no sense; the box is closed */

/* `blocks`: puts wait for the other end to read; otherwise none ever waits. */
void theatre_outbox_open(theatre_outbox *box, theatre_pipe *pipe, uint64_t limit, int blocks);
/* Frees the memory; later puts find it closed. The lock stays usable. */
void theatre_outbox_close(theatre_outbox *box);
int theatre_outbox_put(theatre_outbox *box, const theatre_frame *frame);
/* As put, but refuses where more than half of the limit waits. */
int theatre_outbox_offer(theatre_outbox *box, const theatre_frame *frame);
/* Whether more than half of the limit waits: time to refuse new work. */
int theatre_outbox_is_filling(theatre_outbox *box);
/* The calling thread's frames gather from now on. One thread at most. */
void theatre_outbox_cork(theatre_outbox *box);
/* Writes what has gathered, and no longer gathers. */
int theatre_outbox_flush(theatre_outbox *box);

/* Bytes that were received and not yet parsed. One thread uses it. */
typedef struct theatre_inbox {
    uint8_t *bytes;
    uint64_t start, end, capacity, limit;
    theatre_pipe *pipe;
    uint32_t from;
    uint32_t busy; /* reads for which it still counts as busy */
    uint64_t round; /* bytes that may still be received before the next theatre_inbox_receive */
    uint64_t fetched; /* bytes of the pipe, after what was received, that were asked for */
} theatre_inbox;

/* 0, or ENOMEM. `limit` is the most bytes of a frame, `from` who sends. */
int theatre_inbox_open(theatre_inbox *box, theatre_pipe *pipe, uint64_t limit, uint32_t from);
void theatre_inbox_close(theatre_inbox *box);
/* Receives what is there, or begins to: bytes received; 0 for nothing yet; -errno. */
int64_t theatre_inbox_receive(theatre_inbox *box);
/* As theatre_inbox_receive; while the other end sends much, what it is about to send is looked for, for less time than it
 * takes to put both ends to sleep and wake them. `frames` is how many the last receive brought. */
int64_t theatre_inbox_receive_soon(theatre_inbox *box, uint32_t frames);
/* The next whole frame, valid until the next call for this box: 1, 0 where more is needed, -1 malformed with *fault. What a
 * receive began to receive it goes on with, piece by piece, so that a piece is near the processor when its frames are. */
int theatre_inbox_next(theatre_inbox *box, theatre_frame *frame, const char **fault);

#endif
