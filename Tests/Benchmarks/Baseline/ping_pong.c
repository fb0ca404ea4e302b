// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// The least that two processes must do which call each other over a socket and get it right: a frame has a header with its
// size and the call it belongs to; both ends read as much as there is, look at each header, copy each payload to where it
// is wanted, and write what came of a whole read at once. No limits, no threads, no deadlines, no other kinds of frames.

#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baseline.h"

#define BUFFER 65536
#define WINDOW_MOST 128u

typedef struct header {
    uint32_t size, kind; /* of the whole frame; 1 is a call, 2 an answer */
    uint64_t call;       /* its place in the window, and above it how often that was used */
} header;

/* What was received and what will be sent. */
typedef struct end {
    int socket;
    size_t held, used;
    uint8_t in[BUFFER], out[BUFFER];
} end;

static int flush(end *end) {
    const uint8_t *bytes = end->out;
    while (end->used > 0) {
        ssize_t count = send(end->socket, bytes, end->used, MSG_NOSIGNAL);
        if (count <= 0) return 0;
        bytes += count;
        end->used -= (size_t)count;
    }
    return 1;
}

static int put(end *end, uint32_t kind, uint64_t call, const uint8_t *payload, size_t size) {
    header head = {(uint32_t)(sizeof head + size), kind, call};
    if (end->used + head.size > BUFFER && !flush(end)) return 0;
    memcpy(end->out + end->used, &head, sizeof head);
    memcpy(end->out + end->used + sizeof head, payload, size);
    end->used += head.size;
    return 1;
}

/* Reads once and takes each whole frame; false at the end, or where a frame makes no sense. */
static int receive(end *end, int (*take)(void *, const header *, const uint8_t *), void *context) {
    ssize_t count = recv(end->socket, end->in + end->held, BUFFER - end->held, 0);
    if (count <= 0) return 0;
    end->held += (size_t)count;
    size_t at = 0;
    header head;
    while (end->held - at >= sizeof head) {
        memcpy(&head, end->in + at, sizeof head);
        if (head.size < sizeof head || head.size > BUFFER) return 0;
        if (end->held - at < head.size) break;
        if (!take(context, &head, end->in + at + sizeof head)) return 0;
        at += head.size;
    }
    memmove(end->in, end->in + at, end->held - at);
    end->held -= at;
    return flush(end);
}

static int answer(void *context, const header *head, const uint8_t *payload) {
    return head->kind == 1 && put(context, 2, head->call, payload, head->size - sizeof *head);
}

/* The calling end. */
typedef struct game {
    end end;
    uint64_t calls[WINDOW_MOST]; /* open ones */
    uint8_t request[BUFFER], result[BUFFER];
    size_t size, sent, answered, count;
} game;

static int begin(game *game, uint64_t call) {
    game->calls[call % WINDOW_MOST] = call;
    game->sent += 1;
    return put(&game->end, 1, call, game->request, game->size);
}

static int take_answer(void *context, const header *head, const uint8_t *payload) {
    game *game = context;
    uint64_t place = head->call % WINDOW_MOST;
    if (head->kind != 2 || game->calls[place] != head->call || head->size - sizeof *head != game->size) return 0;
    memcpy(game->result, payload, game->size);
    game->answered += 1;
    return game->sent == game->count || begin(game, head->call + WINDOW_MOST);
}

static int play(game *game, size_t window) {
    for (uint64_t place = 0; place < window && game->sent < game->count; place++)
        if (!begin(game, place + WINDOW_MOST)) return 0;
    if (!flush(&game->end)) return 0;
    while (game->answered < game->count)
        if (!receive(&game->end, take_answer, game)) return 0;
    return 1;
}

double baseline_ping_pong(size_t size, size_t window, size_t count) {
    static end other;
    static game game;
    int ends[2];
    if (window > WINDOW_MOST || (sizeof(header) + size) * window > BUFFER) return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return 0;
    pid_t child = fork();
    if (child < 0) return 0;
    if (child == 0) {
        close(ends[0]);
        other.socket = ends[1];
        while (receive(&other, answer, &other)) continue;
        _exit(0);
    }
    close(ends[1]);
    memset(&game, 0, sizeof game);
    game.end.socket = ends[0];
    game.size = size;
    game.count = count;
    uint64_t began = baseline_now();
    int played = play(&game, window);
    uint64_t ended = baseline_now();
    close(ends[0]);
    waitpid(child, NULL, 0);
    return played ? (double)(ended - began) / (double)count : 0;
}
