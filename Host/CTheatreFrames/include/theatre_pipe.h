/* Bytes both ways between two processes, through memory that both map; a socket wakes, and tells of the end.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One thread at a time sends and one receives. What the other end could write into the memory is never believed: counts are
 * checked, an end keeps its own to itself, and bytes are copied out before anything looks at them. */
#ifndef THEATRE_PIPE_H
#define THEATRE_PIPE_H

#include <stdint.h>

typedef struct theatre_ring theatre_ring;

/* One end. */
typedef struct theatre_pipe {
    int socket;
    void *memory;
    theatre_ring *out, *in;
    uint64_t sent, received; /* bytes so far */
    uint64_t told;           /* bytes that the other end had sent when it was last looked at */
} theatre_pipe;

/* Memory for a pipe, as a descriptor that can be neither grown nor shrunk; -errno. */
int theatre_pipe_make(void);
/* Maps it; whoever `made` it is one end, the other is the other. Takes over neither descriptor. 0, or an errno. */
int theatre_pipe_open(theatre_pipe *pipe, int memory, int socket, int made);
void theatre_pipe_close(theatre_pipe *pipe);

/* Sends what there is room for: how many bytes. 0 where there is none: the other end wakes this one once there is, and may
 * have already. -EPIPE where it is gone, -EPROTO where its counts make no sense. */
int64_t theatre_pipe_send(theatre_pipe *pipe, const uint8_t *bytes, uint64_t size);
/* `size` bytes are about to be sent after `before` others: a hint, by whoever may send, that fetches the memory meanwhile. */
void theatre_pipe_expect(const theatre_pipe *pipe, uint64_t before, uint64_t size);
/* Waits until there may be room; a second at most. */
void theatre_pipe_await_room(theatre_pipe *pipe);

/* Receives what is there, up to `size` bytes: how many, 0 for nothing yet, -EPROTO as above. */
int64_t theatre_pipe_receive(theatre_pipe *pipe, uint8_t *bytes, uint64_t size);
/* `size` bytes, after `before` others, are about to be received: a hint as theatre_pipe_expect. */
void theatre_pipe_fetch(const theatre_pipe *pipe, uint64_t before, uint64_t size);
/* Whether there is something to receive. Costs a look at the memory. */
int theatre_pipe_has_more(const theatre_pipe *pipe);
/* Asks to be woken through the socket for what comes: 1; 0 where something is there already. */
int theatre_pipe_rest(theatre_pipe *pipe);
/* After theatre_pipe_rest and what followed. */
void theatre_pipe_rise(theatre_pipe *pipe);
/* Takes wake-ups off the socket: 1, 0 at its end, -errno. `flags` as for recv. */
int theatre_pipe_take_wakes(theatre_pipe *pipe, int flags);

#endif
