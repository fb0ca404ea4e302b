// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "validator_memory.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t validator_heap_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return (uint64_t)info.uordblks + (uint64_t)info.hblkhd;
}

uint64_t validator_signal_handler(int32_t number) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0) return 0;
    return (uint64_t)(uintptr_t)action.sa_handler;
}

void *validator_guarded(uint64_t size, void **base, uint64_t *length) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t room = (size + page - 1) / page * page;
    void *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    if (mprotect((uint8_t *)start + room, page, PROT_NONE) != 0) {
        munmap(start, room + page);
        return NULL;
    }
    *base = start;
    *length = room + page;
    return (uint8_t *)start + (room - size);
}

void validator_revoke(void *base, uint64_t length) { mprotect(base, length, PROT_NONE); }

void validator_release(void *base, uint64_t length) { munmap(base, length); }

void validator_child_limits(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int32_t validator_pipe(int32_t ends[2]) { return pipe2(ends, O_CLOEXEC); }

int64_t validator_file_size(int32_t descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 ? (int64_t)status.st_size : 0;
}

int32_t validator_defines(const char *name) {
    /* dladdr would look through every symbol of a program that may have a million. */
    struct dl_find_object here, there;
    void *symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == NULL || _dl_find_object((void *)validator_pipe, &here) != 0 || _dl_find_object(symbol, &there) != 0)
        return 0;
    return here.dlfo_link_map == there.dlfo_link_map;
}
