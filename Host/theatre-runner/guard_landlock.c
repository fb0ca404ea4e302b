// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Files by rule, whatever the view. The kernel's header may be older than the kernel, so what is used is defined here.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct rules {
    uint64_t files, network, scopes;
};

struct __attribute__((packed)) rule {
    uint64_t allowed;
    int32_t parent;
};

#define WRITE_FILE (1ull << 1)
#define READ_FILE (1ull << 2)
#define READ_FOLDER (1ull << 3)
#define TRUNCATE (1ull << 14)
#define READ (READ_FILE | READ_FOLDER)
/* What is meant for a file rather than a folder. */
#define OF_FILES (WRITE_FILE | READ_FILE | TRUNCATE)
/* Running programs, making devices, sockets and device requests are not among it. */
#define WRITE (OF_FILES | READ_FOLDER | 1ull << 4 | 1ull << 5 | 1ull << 7 | 1ull << 8 | 1ull << 12 | 1ull << 13)

/* What this version of Landlock knows of files. */
static uint64_t files_of(int version) {
    return (1ull << (version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13)) - 1;
}

static int allow(int ruleset, const char *path, uint64_t rights) {
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0) return errno == ENOENT ? 0 : errno;
    struct rule rule = {.allowed = rights, .parent = place};
    int error = 0;
    if (syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0) != 0) {
        rule.allowed &= OF_FILES;
        if (syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0) != 0) error = errno;
    }
    close(place);
    return error;
}

static int allow_all(int ruleset, const guard_wish *wish, int has_own_view, uint64_t known) {
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"};
    int error = 0;
    for (int i = 0; i < 4 && error == 0; i++) error = allow(ruleset, devices[i], (READ_FILE | WRITE_FILE) & known);
    /* In its own view there are only its own threads. */
    if (error == 0) error = allow(ruleset, has_own_view ? "/proc" : "/proc/self/task", READ & known);
    if (has_own_view && error == 0) error = allow(ruleset, "/tmp", WRITE & known);
    for (uint32_t i = 0; i < wish->folder_count && error == 0; i++)
        error = allow(ruleset, wish->folders[i].path, (wish->folders[i].writable ? WRITE : READ) & known);
    return error;
}

int guard_landlock(const guard_wish *wish, int has_own_view) {
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    if (version < 1) return version < 0 ? errno : ENOSYS;
    struct rules rules = {.files = files_of(version), .network = version >= 4 ? 3 : 0, .scopes = version >= 6 ? 3 : 0};
    uint64_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) return errno;
    int error = allow_all(ruleset, wish, has_own_view, rules.files);
    if (error == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) error = errno;
    close(ruleset);
    return error;
}
