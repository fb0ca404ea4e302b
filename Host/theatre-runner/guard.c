// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* `folders` is "rPATH\0wPATH\0…". */
void guard_read_wish(guard_wish *wish, const theatre_frame *begin) {
    memset(wish, 0, sizeof *wish);
    wish->memory = begin->numbers[0];
    wish->processes = begin->numbers[1];
    wish->files = begin->numbers[2];
    wish->flags = (uint32_t)begin->numbers[3];
    const uint8_t *at = begin->parts[2].data, *end = at + begin->parts[2].size;
    while (at < end && wish->folder_count < GUARD_FOLDERS_MOST) {
        const uint8_t *stop = memchr(at, 0, (size_t)(end - at));
        guard_folder *folder = &wish->folders[wish->folder_count];
        if (stop == NULL || (size_t)(stop - at) > sizeof folder->path) return;
        folder->writable = *at == 'w';
        memcpy(folder->path, at + 1, (size_t)(stop - at));
        wish->folder_count += 1;
        at = stop + 1;
    }
}

void guard_note(guard_report *report, uint32_t guard, const char *name, int error) {
    if (error == 0) {
        report->enforced |= guard;
        return;
    }
    report->missing |= guard;
    size_t used = strlen(report->why);
    snprintf(report->why + used, sizeof report->why - used, "%s%s: %s", used ? "; " : "", name, strerror(error));
}

void guard_first(void) {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int limit(int resource, uint64_t most) {
    const struct rlimit bound = {most, most};
    return setrlimit((__rlimit_resource_t)resource, &bound) == 0 ? 0 : errno;
}

/* No capability is left, nor can one come back. */
int guard_capabilities(void) {
    for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL && errno != EPERM) return errno;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    return syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
}

/* Threads that constructors of the library have started; 1 is this one. */
static int thread_count(void) {
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) return 1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void *nothing(void *unused) { return unused; }

/* Bounds threads: 0; EPERM where the kernel does not count those of this user, which is root outside of all namespaces. */
static int limit_threads(uint64_t most) {
    const struct rlimit tight = {1, most}, bound = {most, most};
    if (setrlimit(RLIMIT_NPROC, &tight) != 0) return errno;
    pthread_t thread;
    int is_free = pthread_create(&thread, NULL, nothing, NULL) == 0;
    if (is_free) pthread_join(thread, NULL);
    if (setrlimit(RLIMIT_NPROC, &bound) != 0) return errno;
    return is_free ? EPERM : 0;
}

static int privileges(void) {
    int error = guard_capabilities();
    if (error) return error;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : EPERM;
}

void guard_close(const guard_wish *wish, guard_report *report) {
    int spaces = (wish->flags & THEATRE_BEGIN_SPACES) != 0, absent = spaces ? 0 : EPERM;
    int alone = thread_count() == 1;
    close(4); /* the library's image */
    guard_note(report, THEATRE_GUARD_USER, "own user namespace", absent);
    guard_note(report, THEATRE_GUARD_PIDS, "own process ids", absent);
    guard_note(report, THEATRE_GUARD_NETWORK, "own network", absent);
    int mounts = spaces ? guard_mounts(wish) : EPERM;
    guard_note(report, THEATRE_GUARD_MOUNTS, "own view of files", mounts);
    guard_note(report, THEATRE_GUARD_PRIVILEGES, "no privileges", privileges());
    if (wish->files) limit(RLIMIT_NOFILE, wish->files);
    if (wish->memory) guard_note(report, THEATRE_GUARD_MEMORY, "memory limit", limit(RLIMIT_DATA, wish->memory));
    if (wish->processes) {
        /* Without a user namespace the limit would count every process of the host's user. */
        const char *name = spaces ? "thread limit, which does not bind root" : "thread limit";
        guard_note(report, THEATRE_GUARD_PROCESSES, name, spaces ? limit_threads(wish->processes) : EPERM);
    }
    /* Threads that run already would not be held by it. */
    guard_note(report, THEATRE_GUARD_LANDLOCK, "Landlock", alone ? guard_landlock(wish, mounts == 0) : EBUSY);
    guard_note(report, THEATRE_GUARD_SYSTEM_CALLS, "system call filter",
               guard_system_calls((wish->flags & THEATRE_BEGIN_CONNECT) != 0));
}
