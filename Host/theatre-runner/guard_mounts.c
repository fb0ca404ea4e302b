// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// A view of files of the runner's own: what is granted, an empty /tmp in memory, its own processes, and four devices.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"

/* sys/mount.h and linux/mount.h cannot be read together everywhere; the first is done without. */
extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
extern int umount2(const char *target, int flags);
#define FLAG_NOSUID 2ul
#define FLAG_NODEV 4ul
#define FLAG_NOEXEC 8ul
#define FLAG_REC 16384ul
#define FLAG_PRIVATE (1ul << 18)
#define UNMOUNT_DETACH 2

/* Where the new view is put together; whatever was there is not needed any more. Not on /proc: the kernel gives a new one
 * only where the old one can be seen whole. */
#define PLACE "/tmp"

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"};
#define DEVICES (sizeof devices / sizeof *devices)

static int lift(const char *path) {
    return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

static int restrict_mount(int tree, const char *path, uint64_t attributes) {
    struct mount_attr attr = {.attr_set = attributes};
    unsigned flags = path[0] ? 0 : AT_EMPTY_PATH | AT_RECURSIVE;
    return syscall(SYS_mount_setattr, tree, path, flags, &attr, sizeof attr) == 0 ? 0 : errno;
}

/* Makes the folders above `path`, and a folder or an empty file at it; all relative to the working folder. */
static int make_place(const char *path, int is_folder) {
    char part[1024];
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path - 1), path + 1);
        if (mkdir(part, 0755) != 0 && errno != EEXIST) return errno;
    }
    if (is_folder) return mkdir(path + 1, 0755) == 0 || errno == EEXIST ? 0 : errno;
    int file = open(path + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) return errno;
    close(file);
    return 0;
}

/* Puts what was lifted from `path` at the same path of the new view. */
static int put(int tree, const char *path) {
    struct stat facts;
    if (fstat(tree, &facts) != 0) return errno;
    int error = make_place(path, S_ISDIR(facts.st_mode));
    if (error) return error;
    return syscall(SYS_move_mount, tree, "", AT_FDCWD, path + 1, MOVE_MOUNT_F_EMPTY_PATH) == 0 ? 0 : errno;
}

static int put_all(const guard_wish *wish, const int *trees) {
    for (uint32_t i = 0; i < DEVICES; i++) {
        int error = trees[i] < 0 ? 0 : put(trees[i], devices[i]);
        if (error) return error;
    }
    if (make_place("/tmp", 1) != 0 ||
        mount("tmpfs", "tmp", "tmpfs", FLAG_NOSUID | FLAG_NODEV | FLAG_NOEXEC, "size=16m") != 0)
        return errno;
    /* libdispatch looks at the state of its threads there, and traps where it cannot. */
    if (make_place("/proc", 1) != 0 ||
        mount("proc", "proc", "proc", FLAG_NOSUID | FLAG_NODEV | FLAG_NOEXEC, "subset=pid") != 0)
        return errno;
    for (uint32_t i = 0; i < wish->folder_count; i++) {
        const guard_folder *folder = &wish->folders[i];
        uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
        if (!folder->writable) attributes |= MOUNT_ATTR_RDONLY;
        int error = restrict_mount(trees[DEVICES + i], "", attributes);
        if (error == 0) error = put(trees[DEVICES + i], folder->path);
        if (error) return error;
    }
    return 0;
}

static int enter(const guard_wish *wish, const int *trees) {
    if (mount("tmpfs", PLACE, "tmpfs", FLAG_NOSUID | FLAG_NODEV | FLAG_NOEXEC, "size=1m,mode=0755") != 0) return errno;
    if (chdir(PLACE) != 0) return errno;
    int error = put_all(wish, trees);
    if (error) return error;
    if (syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", UNMOUNT_DETACH) != 0 || chdir("/") != 0) return errno;
    return restrict_mount(AT_FDCWD, "/", MOUNT_ATTR_RDONLY);
}

int guard_mounts(const guard_wish *wish) {
    if (mount("none", "/", NULL, FLAG_REC | FLAG_PRIVATE, NULL) != 0) return errno;
    int trees[DEVICES + GUARD_FOLDERS_MOST], error = 0;
    for (uint32_t i = 0; i < DEVICES + wish->folder_count; i++) {
        trees[i] = lift(i < DEVICES ? devices[i] : wish->folders[i - DEVICES].path);
        if (trees[i] < 0 && i >= DEVICES && error == 0) error = errno;
    }
    if (error == 0) error = enter(wish, trees);
    for (uint32_t i = 0; i < DEVICES + wish->folder_count; i++) {
        if (trees[i] >= 0) close(trees[i]);
    }
    return error;
}
