/* What the files of theatre-runner share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdatomic.h>

#include "theatre_stream.h"

#define RUNNER_SOCKET 3
#define RUNNER_LIBRARY 4
#define RUNNER_DIAL 5
#define RUNNER_MEMORY 6

/* Most bytes of a frame of the host: an answer of a host service may have 17 MiB. */
#define RUNNER_FRAME_MOST (40u << 20)
/* Most bytes that wait for the host to read before a call into the host waits too. */
#define RUNNER_OUTBOX_MOST (8u << 20)

/* The one instance of this process. */
typedef struct runner {
    theatre_pipe pipe;
    theatre_outbox out;
    theatre_inbox in;
    const theatre_plugin *plugin;
    theatre_instance *instance; /* null before create has returned; written by the control thread, read after it */
    theatre_host host;
    atomic_int is_created;
    atomic_ullong offset;       /* of the host's clocks from the machine's */
    uint64_t message_limit;
    uint8_t *call_flags;        /* THEATRE_CALL_* of each call */
    uint32_t call_count;
} runner;

extern runner the_runner;

static inline theatre_bytes runner_text(const char *text) {
    theatre_bytes bytes = {(const uint8_t *)text, 0};
    while (text[bytes.size] != 0) bytes.size += 1;
    return bytes;
}

/* Ends the process because the host broke the protocol or is gone. */
_Noreturn void runner_end(const char *why);

/* Sends a frame, waiting where the host is slow; does not return where the host is gone. */
void runner_put(const theatre_frame *frame);

/* Tells the host why the plugin cannot run, and ends. */
_Noreturn void runner_fail(const char *code, const char *expected, const char *found, const char *fix);

/* Loads the library and its table; does not return where it cannot be used. */
void runner_load(theatre_bytes name);

/* Fills in the table that the plugin is given. */
void runner_fill_host(void);

/* Steps of the instance's life, in the order in which they come, on the thread that calls this. Does not return. */
_Noreturn void runner_control(void);
/* Keeps a CREATE or CONTROL frame for that thread. */
void runner_control_add(const theatre_frame *frame);

/* Receives once, waiting for something to come; ends the process with the host. */
void runner_receive(unsigned frames);

/* The thread that reads frames. */
void *runner_read(void *unused);

/* Signals: what an abort and a fault leave behind. */
void runner_watch_signals(int with_stack);

#endif
