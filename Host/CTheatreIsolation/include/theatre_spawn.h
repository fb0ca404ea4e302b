/* Starting programs that end with this one: theatre-runner, and what tries and checks libraries.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_SPAWN_H
#define THEATRE_SPAWN_H

#include <stdint.h>

/* Descriptors of the runner. */
#define THEATRE_RUNNER_SOCKET 3
#define THEATRE_RUNNER_LIBRARY 4
#define THEATRE_RUNNER_DIAL 5
#define THEATRE_RUNNER_MEMORY 6

#define THEATRE_SPAWN_DESCRIPTORS 7

/* What a program is started with. */
typedef struct theatre_spawn {
    const char *path;         /* of the program */
    const char *const *words; /* its arguments, then null */
    const char *const *environment;
    int descriptors[THEATRE_SPAWN_DESCRIPTORS]; /* what it has as 0, 1, 2, …; -1 for none, which for 0 is /dev/null */
    int spaces;               /* namespaces of its own are wanted */
    int leads;                /* it leads a process group of its own */
} theatre_spawn;

/* A program that was started. */
typedef struct theatre_child {
    int32_t pid;
    int pidfd;        /* readable once it has ended */
    int socket;       /* wakes a runner and is woken by it, and ends with it */
    int memory;       /* of the pipe with a runner's frames */
    int output;       /* what a runner writes to standard output and error; never blocks */
    int dial;         /* where a runner asks for connections; -1 where it may not */
    int has_spaces;   /* it has namespaces of its own */
    int spaces_error; /* errno of why not */
} theatre_child;

/* Starts a program on a thread that never ends, since such a program ends with the thread that started it. Nothing of
 * this process is inherited but the descriptors. Fills in pid, pidfd and what is said of namespaces. 0, or an errno.
 * Blocks for about a millisecond. */
int theatre_spawn_run(const theatre_spawn *spawn, theatre_child *child);

/* As theatre_spawn_run for theatre-runner: the descriptors are made here but for the library's image, of which it gets a
 * copy. `connects`: it may ask for connections. */
int theatre_spawn_runner(const theatre_spawn *spawn, int library, int connects, theatre_child *child);

/* Ends a runner that nobody watches, and closes what it had. */
void theatre_child_abandon(const theatre_child *child);

/* Ends it at once; nothing where it has ended. */
void theatre_child_kill(int pidfd);

/* Waits up to this long for its end, ends it then, and reaps it: its wait status. */
int32_t theatre_child_reap(int32_t pid, int pidfd, int milliseconds);

#endif
