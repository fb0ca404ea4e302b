// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "theatre_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "theatre_processor.h"

#define CAPACITY (256u << 10) /* a power of two */
#define LINE 64
/* More at once than this is not fetched before it is written: it would keep out what else is wanted. */
#define MOST_FETCHED 4096u

/* One direction. Each end writes its own lines. */
struct theatre_ring {
    _Alignas(LINE) _Atomic uint64_t sent;     /* by the sender */
    _Alignas(LINE) _Atomic uint64_t received; /* by the receiver */
    _Alignas(LINE) _Atomic uint32_t receiver_rests;
    _Alignas(LINE) _Atomic uint32_t sender_rests; /* for want of room; a futex */
    _Alignas(LINE) uint8_t bytes[CAPACITY];
};

#define MEMORY (2 * sizeof(theatre_ring))

int theatre_pipe_make(void) {
    int memory = memfd_create("theatre-pipe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return -errno;
    if (ftruncate(memory, MEMORY) == 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return memory;
    int error = errno;
    close(memory);
    return -error;
}

int theatre_pipe_open(theatre_pipe *pipe, int memory, int socket, int made) {
    theatre_ring *rings = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (rings == MAP_FAILED) return errno;
    *pipe = (theatre_pipe){.socket = socket, .memory = rings, .out = &rings[made ? 0 : 1], .in = &rings[made ? 1 : 0]};
    return 0;
}

void theatre_pipe_close(theatre_pipe *pipe) {
    if (pipe->memory != NULL) munmap(pipe->memory, MEMORY);
    *pipe = (theatre_pipe){.socket = -1};
}

/* Wakes the other end. A socket that is full of wakes wakes it too. */
static int wake(theatre_pipe *pipe) {
    static const uint8_t one = 1;
    while (send(pipe->socket, &one, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EAGAIN) return 1;
        if (errno != EINTR) return 0;
    }
    return 1;
}

/* Room for what is sent; -EPROTO. */
static int64_t room(const theatre_pipe *pipe) {
    /* In one order with the note that the sender rests. */
    uint64_t received = atomic_load(&pipe->out->received);
    if (received > pipe->sent || pipe->sent - received > CAPACITY) return -EPROTO;
    return (int64_t)(CAPACITY - (pipe->sent - received));
}

static void copy_in(theatre_ring *ring, uint64_t at, const uint8_t *bytes, uint64_t size) {
    uint64_t first = at & (CAPACITY - 1), until_end = CAPACITY - first;
    uint64_t part = size < until_end ? size : until_end;
    memcpy(ring->bytes + first, bytes, part);
    if (part < size) memcpy(ring->bytes, bytes + part, size - part);
}

int64_t theatre_pipe_send(theatre_pipe *pipe, const uint8_t *bytes, uint64_t size) {
    int64_t free = room(pipe);
    if (free == 0) {
        atomic_store(&pipe->out->sender_rests, 1);
        free = room(pipe);
        if (free > 0) atomic_store(&pipe->out->sender_rests, 0);
    }
    if (free <= 0) return free;
    if (size > (uint64_t)free) size = (uint64_t)free;
    copy_in(pipe->out, pipe->sent, bytes, size);
    pipe->sent += size;
    atomic_store(&pipe->out->sent, pipe->sent);
    if (atomic_load(&pipe->out->receiver_rests) && atomic_exchange(&pipe->out->receiver_rests, 0) && !wake(pipe))
        return -EPIPE;
    return (int64_t)size;
}

/* Memory that the other end has read is in its processor's cache: to take it from there lasts longer than to write it. */
void theatre_pipe_expect(const theatre_pipe *pipe, uint64_t before, uint64_t size) {
    uint64_t first = (pipe->sent + before + LINE - 1) & ~(uint64_t)(LINE - 1), after = pipe->sent + before + size;
    if (size > MOST_FETCHED) return;
    for (uint64_t at = first; at < after; at += LINE) THEATRE_PREFETCH_TO_WRITE(&pipe->out->bytes[at & (CAPACITY - 1)]);
}

void theatre_pipe_await_room(theatre_pipe *pipe) {
    static const struct timespec second = {.tv_sec = 1};
    (void)syscall(SYS_futex, &pipe->out->sender_rests, FUTEX_WAIT, 1, &second, NULL, 0);
}

/* What is there; -EPROTO. */
static int64_t held(theatre_pipe *pipe) {
    uint64_t sent = atomic_load_explicit(&pipe->in->sent, memory_order_acquire);
    if (sent < pipe->received || sent - pipe->received > CAPACITY) return -EPROTO;
    pipe->told = sent;
    return (int64_t)(sent - pipe->received);
}

int64_t theatre_pipe_receive(theatre_pipe *pipe, uint8_t *bytes, uint64_t size) {
    int64_t count = held(pipe);
    if (count <= 0) return count;
    if (size > (uint64_t)count) size = (uint64_t)count;
    uint64_t first = pipe->received & (CAPACITY - 1), until_end = CAPACITY - first;
    uint64_t part = size < until_end ? size : until_end;
    memcpy(bytes, pipe->in->bytes + first, part);
    if (part < size) memcpy(bytes + part, pipe->in->bytes, size - part);
    pipe->received += size;
    atomic_store(&pipe->in->received, pipe->received);
    if (atomic_load(&pipe->in->sender_rests) && atomic_exchange(&pipe->in->sender_rests, 0)) {
        (void)syscall(SYS_futex, &pipe->in->sender_rests, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        (void)wake(pipe); /* where it is gone, the next to look at the socket learns of it */
    }
    return (int64_t)size;
}

/* What is still being written is left alone. */
void theatre_pipe_fetch(const theatre_pipe *pipe, uint64_t before, uint64_t size) {
    uint64_t first = (pipe->received + before + LINE - 1) & ~(uint64_t)(LINE - 1), after = pipe->received + before + size;
    if (after > pipe->told || size > MOST_FETCHED) return;
    for (uint64_t at = first; at < after; at += LINE) __builtin_prefetch(&pipe->in->bytes[at & (CAPACITY - 1)]);
}

int theatre_pipe_has_more(const theatre_pipe *pipe) {
    return atomic_load_explicit(&pipe->in->sent, memory_order_acquire) != pipe->received;
}

int theatre_pipe_rest(theatre_pipe *pipe) {
    atomic_store(&pipe->in->receiver_rests, 1);
    if (atomic_load(&pipe->in->sent) == pipe->received) return 1;
    theatre_pipe_rise(pipe);
    return 0;
}

void theatre_pipe_rise(theatre_pipe *pipe) { atomic_store_explicit(&pipe->in->receiver_rests, 0, memory_order_relaxed); }

int theatre_pipe_take_wakes(theatre_pipe *pipe, int flags) {
    uint8_t wakes[64];
    for (;;) {
        ssize_t count = recv(pipe->socket, wakes, sizeof wakes, flags);
        if (count >= 0) return count > 0;
        if (errno != EINTR) return -errno;
    }
}
