// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "baseline.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>

static uint64_t copy(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    __asm__ volatile("" : : "r"(bytes) : "memory");
    uint64_t last = bytes[size - 1];
    free(bytes);
    return last;
}

typedef uint64_t (*callee)(const uint8_t *, size_t);
static volatile callee function = copy;

uint64_t baseline_calls(const uint8_t *data, size_t size, uint64_t count) {
    uint64_t sum = 0;
    for (uint64_t index = 0; index < count; index++)
        sum += function(data, size);
    return sum;
}

uint64_t baseline_now(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int baseline_is_on_disk(const char *folder) {
    struct statfs about;
    if (statfs(folder, &about) != 0)
        return 0;
    return about.f_type != TMPFS_MAGIC && about.f_type != RAMFS_MAGIC;
}
