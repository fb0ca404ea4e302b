// TheatreOS
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "file_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* What writes fail with now. */
struct fault {
    /* errno, or 0 */
    int code;
    /* to files of LocalBlobs; else to databases */
    int is_of_blobs;
};

static struct fault fault_now(void) {
    struct fault fault = {0, 0};
    const char *control = getenv("THEATRE_TEST_FILE_FAULTS");
    if (!control) return fault;
    int kept = errno;
    long file = syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0);
    char text[32] = {0};
    if (file >= 0) {
        syscall(SYS_read, (int)file, text, sizeof text - 1);
        syscall(SYS_close, (int)file);
    }
    errno = kept;
    const char *word = text;
    if (strncmp(word, "blobs_", 6) == 0) {
        fault.is_of_blobs = 1;
        word += 6;
    }
    if (strncmp(word, "full", 4) == 0) fault.code = ENOSPC;
    if (strncmp(word, "io", 2) == 0) fault.code = EIO;
    if (strncmp(word, "read_only", 9) == 0) fault.code = EROFS;
    return fault;
}

static int ends(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static int meets(struct fault fault, const char *path) {
    if (fault.is_of_blobs) return strstr(path, "/incoming/") != NULL;
    return ends(path, ".db") || ends(path, ".db-wal");
}

/* The errno for a write to this descriptor, or 0. */
static int fault_of(int descriptor) {
    struct fault fault = fault_now();
    if (!fault.code) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (count < 0) return 0;
    path[count] = 0;
    return meets(fault, path) ? fault.code : 0;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    int fault = fault_of(descriptor);
    if (fault) {
        errno = fault;
        return -1;
    }
    return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    int fault = fault_of(descriptor);
    if (fault) {
        errno = fault;
        return -1;
    }
    return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return pwrite64(descriptor, bytes, count, offset);
}

int ftruncate64(int descriptor, off64_t size) {
    int fault = fault_of(descriptor);
    if (fault) {
        errno = fault;
        return -1;
    }
    return (int)syscall(SYS_ftruncate, descriptor, size);
}

int fdatasync(int descriptor) {
    if (fault_of(descriptor) == EIO) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, descriptor);
}

int fsync(int descriptor) {
    if (fault_of(descriptor) == EIO) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, descriptor);
}

static int open_file(const char *path, int flags, mode_t mode) {
    struct fault fault = fault_now();
    if ((flags & O_ACCMODE) != O_RDONLY && fault.code == EROFS && meets(fault, path)) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open_file(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open_file(path, flags, mode);
}
