/* Starting theatre-runner.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_SPAWN_H
#define THEATRE_SPAWN_H

#include <stdint.h>

/* Descriptors of the runner. */
#define THEATRE_RUNNER_SOCKET 3
#define THEATRE_RUNNER_LIBRARY 4
#define THEATRE_RUNNER_DIAL 5

/* What a runner is started with. */
typedef struct theatre_spawn {
    const char *path;         /* of the program */
    const char *const *words; /* its arguments, then null */
    const char *const *environment;
    int library;              /* descriptor of the library's image; the runner gets a copy */
    int connects;             /* it may ask for connections */
    int spaces;               /* namespaces of its own are wanted */
} theatre_spawn;

/* A runner that was started. */
typedef struct theatre_child {
    int32_t pid;
    int pidfd;        /* readable once it has ended */
    int socket;       /* frames */
    int output;       /* what it writes to standard output and error; never blocks */
    int dial;         /* where it asks for connections; -1 where it may not */
    int has_spaces;   /* it has namespaces of its own */
    int spaces_error; /* errno of why not */
} theatre_child;

/* Starts a runner on a thread that never ends, since a runner ends with the thread that started it. Nothing of the host
 * is inherited but the other ends of the child's descriptors. 0, or an errno. Blocks for about a millisecond. */
int theatre_spawn_run(const theatre_spawn *spawn, theatre_child *child);

/* Ends a runner that nobody watches, and closes what it had. */
void theatre_child_abandon(const theatre_child *child);

/* Ends it at once; nothing where it has ended. */
void theatre_child_kill(int pidfd);

/* Waits up to this long for its end, ends it then, and reaps it: its wait status. */
int32_t theatre_child_reap(int32_t pid, int pidfd, int milliseconds);

#endif
