// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "theatre_stream.h"

/* Enough for a batch; more only for a frame that is larger, and only until it was read. */
#define USUAL_CAPACITY 65536u

int theatre_inbox_open(theatre_inbox *box, int socket, uint64_t limit, uint32_t from) {
    memset(box, 0, sizeof *box);
    box->bytes = malloc(USUAL_CAPACITY);
    if (box->bytes == NULL) return ENOMEM;
    box->capacity = USUAL_CAPACITY;
    box->socket = socket;
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
        needed = USUAL_CAPACITY;
    } else {
        (void)theatre_frame_read(&frame, box->bytes + box->start, left, box->from, box->limit, &needed, &fault);
        if (needed < USUAL_CAPACITY) needed = USUAL_CAPACITY;
    }
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

int64_t theatre_inbox_receive(theatre_inbox *box, int flags) {
    if (!reserve(box)) return -ENOMEM;
    ssize_t count;
    do {
        count = recv(box->socket, box->bytes + box->end, box->capacity - box->end, flags);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    box->end += (uint64_t)count;
    return count;
}

int theatre_inbox_next(theatre_inbox *box, theatre_frame *frame, const char **fault) {
    uint64_t needed = 0;
    int64_t size = theatre_frame_read(frame, box->bytes + box->start, box->end - box->start, box->from, box->limit,
                                      &needed, fault);
    if (size <= 0) return (int)size;
    box->start += (uint64_t)size;
    return 1;
}
