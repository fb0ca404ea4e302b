// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "theatre_stream.h"

#define FIRST_CAPACITY 16384u
/* A buffer that has grown beyond this is given back once it is empty. */
#define KEPT_CAPACITY (1u << 20)
/* What gathers for a flush is written early once it has this many bytes, so that the other end works on it meanwhile. */
#define MOST_CORKED 8192u

void theatre_outbox_open(theatre_outbox *box, theatre_pipe *pipe, uint64_t limit, int blocks) {
    memset(box, 0, sizeof *box);
    box->pipe = pipe;
    box->limit = limit;
    box->blocks = blocks != 0;
}

void theatre_outbox_close(theatre_outbox *box) {
    theatre_spin_lock(&box->lock);
    box->closed = 1;
    while (box->writing) theatre_change_await(&box->room, &box->lock);
    free(box->bytes);
    free(box->other);
    box->bytes = box->other = NULL;
    box->size = box->capacity = box->other_capacity = box->start = box->end = 0;
    theatre_change_tell(&box->room);
    theatre_spin_unlock(&box->lock);
}

/* Room for `size` bytes more; under the lock. */
static int reserve(theatre_outbox *box, uint64_t size) {
    if (box->capacity - box->size >= size) return 1;
    uint64_t capacity = box->capacity ? box->capacity : FIRST_CAPACITY;
    while (capacity < box->size + size) capacity *= 2;
    uint8_t *bytes = realloc(box->bytes, capacity);
    if (bytes == NULL) return 0;
    box->bytes = bytes;
    box->capacity = capacity;
    return 1;
}

/* Takes what gathered as what is to be written; under the lock. */
static void turn(theatre_outbox *box) {
    uint8_t *bytes = box->other;
    uint64_t capacity = box->other_capacity;
    if (capacity > KEPT_CAPACITY) {
        free(bytes);
        bytes = NULL;
        capacity = 0;
    }
    box->other = box->bytes;
    box->other_capacity = box->capacity;
    box->start = 0;
    box->end = box->size;
    box->bytes = bytes;
    box->capacity = capacity;
    box->size = 0;
}

/* Sends what is left of what is being written; where the box may, it waits for room. Under no lock. */
static int64_t send(theatre_outbox *box) {
    for (;;) {
        int64_t count = theatre_pipe_send(box->pipe, box->other + box->start, box->end - box->start);
        if (count != 0 || !box->blocks) return count;
        theatre_pipe_await_room(box->pipe);
    }
}

/* Writes until nothing is left or the pipe takes no more. Under the lock, which it leaves for each write. */
static int write_out(theatre_outbox *box) {
    box->writing = 1;
    int found = THEATRE_OUTBOX_OK;
    while (!box->closed && found == THEATRE_OUTBOX_OK) {
        if (box->start == box->end) {
            if (box->size == 0) break;
            turn(box);
        }
        theatre_spin_unlock(&box->lock);
        int64_t count = send(box);
        theatre_spin_lock(&box->lock);
        if (count == 0) {
            /* The wake that tells of room may have come before anybody could see that this box wants one: from here on it
             * can be seen, so what is asked again now is told to somebody who flushes. */
            box->stuck = 1;
            count = theatre_pipe_send(box->pipe, box->other + box->start, box->end - box->start);
        }
        if (count > 0) {
            box->start += (uint64_t)count;
            if (box->blocks) theatre_change_tell(&box->room);
        } else if (count == 0) {
            found = THEATRE_OUTBOX_STUCK;
        } else {
            box->closed = 1;
            box->broken = count == -EPROTO;
        }
    }
    if (box->closed) found = box->broken ? THEATRE_OUTBOX_BROKEN : THEATRE_OUTBOX_CLOSED;
    box->stuck = found == THEATRE_OUTBOX_STUCK;
    box->writing = 0;
    theatre_change_tell(&box->room);
    return found;
}

static uint64_t waiting(const theatre_outbox *box) { return box->size + (box->end - box->start); }

static int put(theatre_outbox *box, const theatre_frame *frame, int may_be_refused) {
    uint64_t size = theatre_frame_size(frame);
    theatre_spin_lock(&box->lock);
    while (box->blocks && !box->closed && box->writing && waiting(box) > box->limit)
        theatre_change_await(&box->room, &box->lock);
    int found = THEATRE_OUTBOX_OK;
    if (box->closed) {
        found = THEATRE_OUTBOX_CLOSED;
    } else if (may_be_refused && waiting(box) > box->limit / 2) {
        found = THEATRE_OUTBOX_FILLING;
    } else if ((!box->blocks && waiting(box) + size > box->limit) || !reserve(box, size)) {
        box->closed = 1;
        found = THEATRE_OUTBOX_FULL;
    } else {
        if (!box->writing) theatre_pipe_expect(box->pipe, box->end - box->start + box->size, size);
        theatre_frame_write(frame, box->bytes + box->size);
        box->size += size;
        int corked = box->corked && box->size < MOST_CORKED && pthread_equal(box->corker, pthread_self());
        int gathers = box->writing || box->stuck || corked;
        if (!gathers) found = write_out(box);
        /* The frame was taken, perhaps even read: whoever offered it learns of the end as of any call under way. */
        if (may_be_refused && found == THEATRE_OUTBOX_CLOSED) found = THEATRE_OUTBOX_OK;
    }
    theatre_spin_unlock(&box->lock);
    return found;
}

int theatre_outbox_put(theatre_outbox *box, const theatre_frame *frame) { return put(box, frame, 0); }

int theatre_outbox_offer(theatre_outbox *box, const theatre_frame *frame) { return put(box, frame, 1); }

int theatre_outbox_is_filling(theatre_outbox *box) {
    theatre_spin_lock(&box->lock);
    int filling = waiting(box) > box->limit / 2;
    theatre_spin_unlock(&box->lock);
    return filling;
}

void theatre_outbox_cork(theatre_outbox *box) {
    theatre_spin_lock(&box->lock);
    box->corker = pthread_self();
    box->corked = 1;
    theatre_spin_unlock(&box->lock);
}

int theatre_outbox_flush(theatre_outbox *box) {
    theatre_spin_lock(&box->lock);
    box->corked = 0;
    int found = box->closed ? THEATRE_OUTBOX_CLOSED : THEATRE_OUTBOX_OK;
    if (!box->writing && !box->closed && (box->size > 0 || box->start < box->end)) found = write_out(box);
    theatre_spin_unlock(&box->lock);
    return found;
}
