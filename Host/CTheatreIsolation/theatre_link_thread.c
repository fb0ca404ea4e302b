// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "theatre_link_parts.h"

/* Keeps the last of what the runner wrote to its standard output and error. False at the end. */
static int keep_output(theatre_link *link) {
    uint8_t bytes[1024];
    ssize_t count = read(link->parts.child.output, bytes, sizeof bytes);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    uint32_t size = (uint32_t)count;
    if (link->output_size + size > OUTPUT_KEPT) {
        uint32_t dropped = link->output_size + size - OUTPUT_KEPT;
        memmove(link->output, link->output + dropped, link->output_size - dropped);
        link->output_size -= dropped;
    }
    memcpy(link->output + link->output_size, bytes, size);
    link->output_size += size;
    return 1;
}

/* Takes what was received: how many frames; -1 where something is wrong. */
static int take(theatre_link *link) {
    link->knows_clock = 0;
    theatre_outbox_cork(&link->out);
    theatre_frame frame;
    const char *fault = NULL;
    int found, frames = 0;
    while ((found = theatre_inbox_next(&link->in, &frame, &fault)) == 1) {
        fault = theatre_link_take(link, &frame);
        if (fault != NULL) break;
        frames += 1;
    }
    theatre_link_act(link, theatre_outbox_flush(&link->out));
    if (fault == NULL) return frames;
    link->fault = fault;
    theatre_link_stop(link, THEATRE_LINK_MALFORMED);
    return -1;
}

/* So often in a row the pipe is read before the other sources get their turn. */
#define MOST_READS 32

/* Takes what the pipe has, and what comes while calls are many; false where something is wrong. */
static int receive(theatre_link *link) {
    int64_t count = theatre_inbox_receive(&link->in);
    for (int reads = 1; count > 0; reads++) {
        int frames = take(link);
        if (frames < 0) return 0;
        if (reads == MOST_READS || atomic_load(&link->why) != 0) return 1;
        count = theatre_inbox_receive_soon(&link->in, (uint32_t)frames);
    }
    if (count == -EPROTO) theatre_link_stop(link, THEATRE_LINK_MALFORMED);
    return count == 0;
}

/* Takes what the runner says through the pipe, now that it may have woken the link; false at its end, or where something is
 * wrong. */
static int listen_to(theatre_link *link) {
    int found = theatre_pipe_take_wakes(&link->pipe, MSG_DONTWAIT);
    theatre_link_act(link, theatre_outbox_flush(&link->out));
    /* What it said before its end counts; the pipe holds less than is received here at a time. */
    return receive(link) && (found == 1 || found == -EAGAIN);
}

/* Sends a ping a quarter of the longest silence after the last was answered; false where the silence was too long. What is
 * still to be read may hold the answer, for a while. */
static int is_heard(theatre_link *link, int is_idle) {
    if (link->parts.silence_ms == 0) return 1;
    uint64_t now = theatre_link_now();
    if (link->pinged == link->ponged) {
        link->quiet_since = now;
        theatre_frame frame = {.type = THEATRE_FRAME_PING, .numbers = {++link->pinged}};
        theatre_link_put(link, &frame);
        return 1;
    }
    if (now - link->quiet_since < link->parts.silence_ms * (is_idle ? 1 : 2)) return 1;
    theatre_link_stop(link, THEATRE_LINK_HANGS);
    return 0;
}

static void serve(theatre_link *link) {
    struct pollfd sources[3] = {{.fd = link->parts.child.socket, .events = POLLIN}, {.fd = link->wake, .events = POLLIN},
                                {.fd = link->parts.child.output, .events = POLLIN}};
    uint64_t looked = theatre_link_now(), pause = link->parts.silence_ms / 4;
    while (atomic_load(&link->why) == 0) {
        int patience = link->log_dropped ? 1000 : pause ? (int)pause : -1;
        int rests = theatre_pipe_rest(&link->pipe);
        int count = poll(sources, 3, rests ? patience : 0);
        theatre_pipe_rise(&link->pipe);
        if (count < 0 && errno != EINTR) return;
        if (sources[2].revents && !keep_output(link)) sources[2].fd = -1;
        if ((!rests || sources[0].revents) && !listen_to(link)) return;
        if (link->log_dropped) theatre_link_tell_dropped(link, theatre_link_now());
        if (pause && theatre_link_now() - looked >= pause) {
            looked = theatre_link_now();
            if (!is_heard(link, rests && !sources[0].revents)) return;
        }
    }
}

/* How long a runner that closed its socket may take to end by itself, so that its own end is what is told. */
#define GRACE_MS 200

void *theatre_link_run(void *argument) {
    theatre_link *link = argument;
    link->thread = pthread_self();
    serve(link);
    theatre_outbox_close(&link->out);
    if (link->log_dropped) theatre_link_tell_dropped(link, UINT64_MAX);
    theatre_link_end end = {.status = theatre_child_reap(link->parts.child.pid, link->parts.child.pidfd, GRACE_MS)};
    while (link->parts.child.output >= 0 && keep_output(link) && link->output_size < OUTPUT_KEPT) {
        struct pollfd more = {.fd = link->parts.child.output, .events = POLLIN};
        if (poll(&more, 1, 0) <= 0) break;
    }
    pthread_mutex_lock(&link->control.lock);
    link->control.ended = 1;
    close(link->parts.child.pidfd);
    close(link->wake);
    pthread_cond_broadcast(&link->control.changed);
    pthread_mutex_unlock(&link->control.lock);
    close(link->parts.child.socket);
    close(link->parts.child.output);
    theatre_inbox_close(&link->in);
    theatre_pipe_close(&link->pipe);
    theatre_calls_close(&link->calls);
    unsigned why = atomic_load(&link->why);
    end.why = why == 0 ? THEATRE_LINK_BY_ITSELF : why - 1;
    end.fault = link->fault;
    if (end.fault == NULL && end.why == THEATRE_LINK_MALFORMED) end.fault = "its counts of bytes make no sense";
    end.output = (theatre_bytes){link->output, link->output_size};
    link->parts.ended(link->parts.owner, &end);
    return NULL;
}
