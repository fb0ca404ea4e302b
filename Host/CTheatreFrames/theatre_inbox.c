// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "theatre_processor.h"
#include "theatre_stream.h"

/* Enough for a piece of what is there; more only for a frame that is larger, and only until it was read. */
#define USUAL_CAPACITY 8192u
/* What is received at once, where no frame needs more, and between two calls of theatre_inbox_receive. */
#define PIECE 4096u
#define ROUND 65536u

int theatre_inbox_open(theatre_inbox *box, theatre_pipe *pipe, uint64_t limit, uint32_t from) {
    memset(box, 0, sizeof *box);
    box->bytes = malloc(USUAL_CAPACITY);
    if (box->bytes == NULL) return ENOMEM;
    box->capacity = USUAL_CAPACITY;
    box->pipe = pipe;
    box->limit = limit;
    box->from = from;
    return 0;
}

void theatre_inbox_close(theatre_inbox *box) {
    free(box->bytes);
    box->bytes = NULL;
    box->start = box->end = box->capacity = 0;
}

/* Room for the whole of the frame that has begun. */
static int reserve(theatre_inbox *box) {
    uint64_t left = box->end - box->start, needed = 0;
    theatre_frame frame;
    const char *fault = NULL;
    if (left == 0) {
        box->start = box->end = 0;
    } else {
        (void)theatre_frame_read(&frame, box->bytes + box->start, left, box->from, box->limit, &needed, &fault);
    }
    if (needed < USUAL_CAPACITY) needed = USUAL_CAPACITY;
    if (box->start > 0) {
        memmove(box->bytes, box->bytes + box->start, left);
        box->start = 0;
        box->end = left;
    }
    if (needed == box->capacity || (needed < box->capacity && left > USUAL_CAPACITY)) return 1;
    uint8_t *bytes = realloc(box->bytes, needed);
    if (bytes == NULL) return 0;
    box->bytes = bytes;
    box->capacity = needed;
    return 1;
}

/* Receives a piece, or what the frame that has begun lacks. */
static int64_t receive(theatre_inbox *box) {
    if (!theatre_pipe_has_more(box->pipe)) return 0;
    if (!reserve(box)) return -ENOMEM;
    uint64_t room = box->capacity - box->end;
    if (box->capacity == USUAL_CAPACITY && room > PIECE) room = PIECE;
    int64_t count = theatre_pipe_receive(box->pipe, box->bytes + box->end, room);
    if (count <= 0) return count;
    box->end += (uint64_t)count;
    box->round = box->round > (uint64_t)count ? box->round - (uint64_t)count : 0;
    box->fetched = 0;
    return count;
}

int64_t theatre_inbox_receive(theatre_inbox *box) {
    box->round = ROUND;
    return receive(box);
}

/* With this many frames in one read, more are on their way; so many reads may bring less before that is over. */
#define BUSY_FRAMES 4u
#define BUSY_READS 8u
#define BUSY_NANOSECONDS 20000u
#define LOOKS 32

static uint64_t now(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Whether something came within that time. */
static int await_more(const theatre_inbox *box) {
    for (uint64_t until = now() + BUSY_NANOSECONDS; now() < until;) {
        for (int looks = 0; looks < LOOKS; looks++) {
            if (theatre_pipe_has_more(box->pipe)) return 1;
            THEATRE_PAUSE();
        }
        sched_yield(); /* whoever needs the processor has it meanwhile */
    }
    return 0;
}

int64_t theatre_inbox_receive_soon(theatre_inbox *box, uint32_t frames) {
    if (frames >= BUSY_FRAMES) {
        box->busy = BUSY_READS;
    } else if (box->busy > 0) {
        box->busy -= 1;
    }
    int64_t count = theatre_inbox_receive(box);
    if (count != 0 || box->busy == 0) return count;
    if (await_more(box)) return theatre_inbox_receive(box);
    box->busy = 0;
    return 0;
}

int theatre_inbox_next(theatre_inbox *box, theatre_frame *frame, const char **fault) {
    for (;;) {
        uint64_t needed = 0;
        int64_t size = theatre_frame_read(frame, box->bytes + box->start, box->end - box->start, box->from, box->limit,
                                          &needed, fault);
        if (size < 0) return -1;
        if (size > 0) {
            box->start += (uint64_t)size;
            /* As much as this frame has is fetched for later, while somebody acts on it. */
            theatre_pipe_fetch(box->pipe, box->fetched, (uint64_t)size);
            box->fetched += (uint64_t)size;
            return 1;
        }
        /* What is wrong now the next receive says too. */
        if (box->round == 0 || receive(box) <= 0) return 0;
    }
}
