#pragma once

#include <libpq-fe.h>
#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/* What Swift cannot call itself, or only clumsily: epoll with its union, and functions with variable arguments. */

/* Watches `descriptor`, or changes what for: readable always means hang-up too. `token` comes back with its events. */
static inline int cpg_watch(int epoll, int descriptor, int change, int readable, int writable, uint64_t token) {
    struct epoll_event event = {.events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0), .data = {.u64 = token}};
    return epoll_ctl(epoll, change ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event);
}

/* Watches it no longer. */
static inline int cpg_unwatch(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, (struct epoll_event *)0);
}

/* Waits for up to 64 descriptors: their tokens, and whether each is readable (1), writable (2) or broken (4). */
static inline int cpg_wait(int epoll, uint64_t *tokens, uint32_t *states, int milliseconds) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, milliseconds);
    for (int i = 0; i < count; i++) {
        tokens[i] = events[i].data.u64;
        states[i] = (events[i].events & EPOLLIN ? 1 : 0) | (events[i].events & EPOLLOUT ? 2 : 0)
            | (events[i].events & (EPOLLERR | EPOLLHUP) ? 4 : 0);
    }
    return count;
}

/* A descriptor for epoll, closed on exec. */
static inline int cpg_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

/* A counter that wakes epoll, closed on exec. */
static inline int cpg_counter(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/* Names the calling thread, at most 15 bytes. */
static inline void cpg_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/* libpq writes its notices to standard error unless told otherwise. */
static inline void cpg_drop_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

/* Drops the notices of a connection. */
static inline void cpg_drop_notices(PGconn *connection) {
    PQsetNoticeReceiver(connection, cpg_drop_notice, (void *)0);
}
