// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baseline.h"

#define BUFFER 65536

static int send_all(int end, const uint8_t *bytes, size_t size) {
    while (size > 0) {
        ssize_t count = send(end, bytes, size, MSG_NOSIGNAL);
        if (count <= 0) return 0;
        bytes += count;
        size -= (size_t)count;
    }
    return 1;
}

/* Sends back whole messages until the other end is gone. */
static void echo(int end, size_t size) {
    static uint8_t bytes[BUFFER];
    size_t held = 0;
    for (;;) {
        ssize_t count = recv(end, bytes + held, BUFFER - held, 0);
        if (count <= 0) _exit(0);
        held += (size_t)count;
        size_t whole = held / size * size;
        if (whole == 0) continue;
        if (!send_all(end, bytes, whole)) _exit(0);
        for (size_t i = whole; i < held; i++) bytes[i - whole] = bytes[i];
        held -= whole;
    }
}

static int play(int end, size_t size, size_t window, size_t count) {
    static uint8_t out[BUFFER], in[BUFFER];
    size_t sent = window < count ? window : count, answered = 0, bytes = 0;
    if (!send_all(end, out, sent * size)) return 0;
    while (answered < count) {
        ssize_t got = recv(end, in, BUFFER, 0);
        if (got <= 0) return 0;
        bytes += (size_t)got;
        size_t whole = bytes / size;
        bytes -= whole * size;
        answered += whole;
        size_t next = whole < count - sent ? whole : count - sent;
        if (next > 0 && !send_all(end, out, next * size)) return 0;
        sent += next;
    }
    return 1;
}

double baseline_ping_pong(size_t size, size_t window, size_t count) {
    int ends[2];
    if (size * window > BUFFER || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return 0;
    pid_t other = fork();
    if (other < 0) return 0;
    if (other == 0) {
        close(ends[0]);
        echo(ends[1], size);
    }
    close(ends[1]);
    uint64_t began = baseline_now();
    int played = play(ends[0], size, window, count);
    uint64_t ended = baseline_now();
    close(ends[0]);
    waitpid(other, NULL, 0);
    return played ? (double)(ended - began) / (double)count : 0;
}
