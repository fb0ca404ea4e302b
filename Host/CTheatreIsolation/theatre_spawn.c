// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "theatre_pipe.h"
#include "theatre_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE 65536
/* Copies of the descriptors are made from here on before they get their numbers. */
#define STAGING 100

/* One start, as the child sees it in the memory it shares with the host until it runs its program. */
typedef struct start {
    const theatre_spawn *spawn;
    int has_user_space;
    unsigned uid, gid;
    int error;
} start;

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    int error = write(file, text, strlen(text)) < 0 ? errno : 0;
    close(file);
    return error;
}

/* In its own user namespace it is root over nothing but what it made itself. */
static int map_user(const start *start) {
    char text[40];
    int error = write_file("/proc/self/setgroups", "deny");
    if (error) return error;
    snprintf(text, sizeof text, "0 %u 1", start->uid);
    if ((error = write_file("/proc/self/uid_map", text))) return error;
    snprintf(text, sizeof text, "0 %u 1", start->gid);
    return write_file("/proc/self/gid_map", text);
}

static int place_all(const theatre_spawn *spawn) {
    int staged[THEATRE_SPAWN_DESCRIPTORS], last = 2;
    for (int i = 0; i < THEATRE_SPAWN_DESCRIPTORS; i++) {
        int from = spawn->descriptors[i];
        if (i == 0 && from < 0) from = open("/dev/null", O_RDONLY);
        staged[i] = from < 0 ? -1 : fcntl(from, F_DUPFD, STAGING);
        if (from >= 0 && staged[i] < 0) return -1;
    }
    for (int i = 0; i < THEATRE_SPAWN_DESCRIPTORS; i++) {
        if (staged[i] < 0) continue;
        if (dup2(staged[i], i) < 0) return -1;
        last = i > last ? i : last;
    }
    return (int)syscall(SYS_close_range, (unsigned)last + 1, ~0u, 0);
}

/* Runs on a stack of its own in the host's memory, while the thread that started it waits: nothing but system calls. */
static int child(void *argument) {
    start *start = argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (start->has_user_space && (start->error = map_user(start))) _exit(127);
    if ((start->spawn->leads && setpgid(0, 0) != 0) || place_all(start->spawn) != 0) {
        start->error = errno;
        _exit(127);
    }
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 32; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(start->spawn->path, (char *const *)start->spawn->words, (char *const *)start->spawn->environment);
    start->error = errno;
    _exit(127);
}

static int attempt(start *start, int flags, theatre_child *made) {
    static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
    start->has_user_space = flags & CLONE_NEWUSER;
    start->error = 0;
    int pidfd = -1;
    int pid = clone(child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | flags, start, &pidfd,
                    NULL, NULL);
    if (pid < 0) return errno;
    if (start->error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        close(pidfd);
        return start->error;
    }
    made->pid = pid;
    made->pidfd = pidfd;
    made->has_spaces = flags != 0;
    return 0;
}

/* With everything that can be had: as an ordinary user, as root where user namespaces are off, or without. */
static int try_all(start *start, theatre_child *made) {
    const int spaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    if (start->spawn->spaces) {
        int error = attempt(start, CLONE_NEWUSER | spaces, made);
        if (error == 0) return 0;
        made->spaces_error = error;
        if (start->uid == 0 && attempt(start, spaces, made) == 0) return 0;
    }
    return attempt(start, 0, made);
}

static int run(const theatre_spawn *spawn, theatre_child *made) {
    start start = {.spawn = spawn, .uid = geteuid(), .gid = getegid()};
    return try_all(&start, made);
}

static void close_end(int end) {
    if (end >= 0) close(end);
}

void theatre_child_abandon(const theatre_child *child) {
    theatre_child_kill(child->pidfd);
    (void)theatre_child_reap(child->pid, child->pidfd, 1000);
    close_end(child->socket);
    close_end(child->memory);
    close_end(child->output);
    close_end(child->dial);
    close_end(child->pidfd);
}

/* The one thread that starts programs; `job` is done under `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int thread_error;
static const theatre_spawn *job;
static theatre_child *job_child;
static int job_error, job_done;

static void *serve(void *argument) {
    (void)argument;
    pthread_setname_np(pthread_self(), "theatre-spawn");
    pthread_mutex_lock(&lock);
    for (;;) {
        while (job == NULL || job_done) pthread_cond_wait(&changed, &lock);
        job_error = run(job, job_child);
        job_done = 1;
        pthread_cond_broadcast(&changed);
    }
    return NULL;
}

static void begin(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    thread_error = pthread_create(&thread, NULL, serve, NULL);
    if (thread_error == 0) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int theatre_spawn_run(const theatre_spawn *spawn, theatre_child *made) {
    pthread_once(&once, begin);
    if (thread_error) return thread_error;
    pthread_mutex_lock(&lock);
    while (job != NULL) pthread_cond_wait(&changed, &lock);
    job = spawn;
    job_child = made;
    job_done = 0;
    pthread_cond_broadcast(&changed);
    while (!job_done) pthread_cond_wait(&changed, &lock);
    int error = job_error;
    job = NULL;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return error;
}

static int open_ends(int connects, int *memory, int *wakes, int *dials, int *pipes) {
    if ((*memory = theatre_pipe_make()) < 0) return -*memory;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wakes) != 0) return errno;
    if (pipe2(pipes, O_CLOEXEC) != 0 || fcntl(pipes[0], F_SETFL, O_NONBLOCK) != 0) return errno;
    if (connects && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, dials) != 0) return errno;
    return 0;
}

int theatre_spawn_runner(const theatre_spawn *wanted, int library, int connects, theatre_child *made) {
    int memory = -1, wakes[2] = {-1, -1}, dials[2] = {-1, -1}, pipes[2] = {-1, -1};
    *made = (theatre_child){.pid = -1, .pidfd = -1, .socket = -1, .memory = -1, .output = -1, .dial = -1};
    int error = open_ends(connects, &memory, wakes, dials, pipes);
    if (error == 0) {
        theatre_spawn spawn = *wanted;
        const int descriptors[THEATRE_SPAWN_DESCRIPTORS] = {-1,      pipes[1], pipes[1], wakes[1],
                                                            library, dials[1], memory};
        memcpy(spawn.descriptors, descriptors, sizeof descriptors);
        error = theatre_spawn_run(&spawn, made);
    }
    close_end(wakes[1]);
    close_end(pipes[1]);
    close_end(dials[1]);
    made->socket = wakes[0];
    made->memory = memory;
    made->output = pipes[0];
    made->dial = dials[0];
    if (error == 0) return 0;
    close_end(wakes[0]);
    close_end(memory);
    close_end(pipes[0]);
    close_end(dials[0]);
    return error;
}

void theatre_child_kill(int pidfd) { (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0); }

int32_t theatre_child_reap(int32_t pid, int pidfd, int milliseconds) {
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    if (poll(&ended, 1, milliseconds) <= 0) theatre_child_kill(pidfd);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return status;
}
