// TheatreOS
// SPDX-License-Identifier: Apache-2.0
#include "power_cut.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512

/* A write, or with no bytes a truncation, that was not synced. */
struct change {
    int64_t offset;
    int64_t size;
    uint8_t *bytes;
    struct change *next;
};

/* What is known of a file, as long as the process lives. */
struct image {
    char *path;
    int exists;
    enum power_cut_fault fault;
    uint8_t *bytes; /* on the disk for certain */
    int64_t size;
    struct change *first, **last;
    struct image *next;
};

struct file {
    sqlite3_file base;
    struct image *image;
    sqlite3_file *real;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct image *images;
static sqlite3_vfs layer;
static sqlite3_vfs *platform;
static uint64_t syncs;

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545F4914F6CDD1DULL;
}

/* Writes into an image, which grows with zeros. */
static int put(uint8_t **bytes, int64_t *size, int64_t offset, const uint8_t *data, int64_t count) {
    if (offset + count > *size) {
        uint8_t *grown = realloc(*bytes, (size_t)(offset + count));
        if (!grown) return SQLITE_NOMEM;
        memset(grown + *size, 0, (size_t)(offset + count - *size));
        *bytes = grown;
        *size = offset + count;
    }
    memcpy(*bytes + offset, data, (size_t)count);
    return SQLITE_OK;
}

static void apply(uint8_t **bytes, int64_t *size, const struct change *change) {
    if (change->bytes) {
        put(bytes, size, change->offset, change->bytes, change->size);
    } else if (change->offset < *size) {
        *size = change->offset;
    }
}

static void forget_changes(struct image *image) {
    while (image->first) {
        struct change *change = image->first;
        image->first = change->next;
        free(change->bytes);
        free(change);
    }
    image->last = &image->first;
}

static int note(struct image *image, int64_t offset, const void *data, int64_t size) {
    struct change *change = calloc(1, sizeof *change);
    if (!change) return SQLITE_NOMEM;
    change->offset = offset;
    change->size = size;
    if (data) {
        change->bytes = malloc((size_t)size);
        if (!change->bytes) {
            free(change);
            return SQLITE_NOMEM;
        }
        memcpy(change->bytes, data, (size_t)size);
    }
    *image->last = change;
    image->last = &change->next;
    return SQLITE_OK;
}

/* Under the lock. A file that was there before the layer is on the disk as it is. */
static struct image *image_of(const char *path, sqlite3_file *real) {
    for (struct image *image = images; image; image = image->next)
        if (strcmp(image->path, path) == 0) {
            image->exists = 1;
            return image;
        }
    struct image *image = calloc(1, sizeof *image);
    if (!image) return NULL;
    image->path = strdup(path);
    image->exists = 1;
    image->last = &image->first;
    sqlite3_int64 size = 0;
    if (real->pMethods->xFileSize(real, &size) == SQLITE_OK && size > 0) {
        image->bytes = malloc((size_t)size);
        if (image->bytes && real->pMethods->xRead(real, image->bytes, (int)size, 0) == SQLITE_OK) image->size = size;
    }
    image->next = images;
    images = image;
    return image;
}

/* The file's methods: those that write tell the image, the rest go through. */

#define REAL(file) (((struct file *)(file))->real)

static int file_close(sqlite3_file *file) { return REAL(file)->pMethods->xClose(REAL(file)); }

static int file_read(sqlite3_file *file, void *data, int count, sqlite3_int64 offset) {
    return REAL(file)->pMethods->xRead(REAL(file), data, count, offset);
}

static int file_write(sqlite3_file *file, const void *data, int count, sqlite3_int64 offset) {
    struct image *image = ((struct file *)file)->image;
    pthread_mutex_lock(&lock);
    enum power_cut_fault fault = image->fault;
    int code = fault == POWER_CUT_DISK_FULL ? SQLITE_FULL : fault == POWER_CUT_IO_ERROR ? SQLITE_IOERR_WRITE : SQLITE_OK;
    if (code == SQLITE_OK) code = REAL(file)->pMethods->xWrite(REAL(file), data, count, offset);
    if (code == SQLITE_OK) code = note(image, offset, data, count);
    pthread_mutex_unlock(&lock);
    return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    pthread_mutex_lock(&lock);
    int code = REAL(file)->pMethods->xTruncate(REAL(file), size);
    if (code == SQLITE_OK) code = note(((struct file *)file)->image, size, NULL, 0);
    pthread_mutex_unlock(&lock);
    return code;
}

/* Nothing is really synced: what matters is what the image takes for safe. */
static int file_sync(sqlite3_file *file, int flags) {
    (void)flags;
    struct image *image = ((struct file *)file)->image;
    pthread_mutex_lock(&lock);
    int code = image->fault == POWER_CUT_NO_SYNC ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    if (code == SQLITE_OK) {
        for (struct change *change = image->first; change; change = change->next)
            apply(&image->bytes, &image->size, change);
        forget_changes(image);
        syncs++;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}
static int file_lock(sqlite3_file *file, int level) { return REAL(file)->pMethods->xLock(REAL(file), level); }
static int file_unlock(sqlite3_file *file, int level) { return REAL(file)->pMethods->xUnlock(REAL(file), level); }
static int file_check(sqlite3_file *file, int *out) {
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), out);
}
static int file_control(sqlite3_file *file, int operation, void *argument) {
    return REAL(file)->pMethods->xFileControl(REAL(file), operation, argument);
}
static int file_sector(sqlite3_file *file) {
    (void)file;
    return SECTOR;
}
static int file_characteristics(sqlite3_file *file) {
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}
static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, out);
}
static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}
static void file_shm_barrier(sqlite3_file *file) { REAL(file)->pMethods->xShmBarrier(REAL(file)); }
static int file_shm_unmap(sqlite3_file *file, int delete) {
    return REAL(file)->pMethods->xShmUnmap(REAL(file), delete);
}

/* Version 2: without memory-mapped reads. */
static const sqlite3_io_methods methods = {
    2,          file_close, file_read,    file_write,   file_truncate,       file_sync,    file_size,     file_lock,
    file_unlock, file_check, file_control, file_sector, file_characteristics, file_shm_map, file_shm_lock,
    file_shm_barrier, file_shm_unmap, NULL, NULL,
};

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    struct file *own = (struct file *)file;
    own->base.pMethods = NULL;
    own->real = (sqlite3_file *)(own + 1);
    int code = platform->xOpen(platform, name, own->real, flags, out);
    if (code != SQLITE_OK) return code;
    pthread_mutex_lock(&lock);
    own->image = image_of(name ? name : "", own->real);
    pthread_mutex_unlock(&lock);
    if (!own->image) {
        own->real->pMethods->xClose(own->real);
        return SQLITE_NOMEM;
    }
    own->base.pMethods = &methods;
    return SQLITE_OK;
}

static int layer_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
    (void)vfs;
    int code = platform->xDelete(platform, name, sync_folder);
    if (code != SQLITE_OK) return code;
    pthread_mutex_lock(&lock);
    for (struct image *image = images; image; image = image->next)
        if (strcmp(image->path, name) == 0) {
            forget_changes(image);
            image->size = 0;
            image->exists = 0;
        }
    pthread_mutex_unlock(&lock);
    return code;
}

int power_cut_install(void) {
    pthread_mutex_lock(&lock);
    if (!platform) {
        platform = sqlite3_vfs_find(NULL);
        layer = *platform;
        layer.zName = "power-cut";
        layer.szOsFile = (int)sizeof(struct file) + platform->szOsFile;
        layer.pNext = NULL;
        layer.xOpen = layer_open;
        layer.xDelete = layer_delete;
    }
    pthread_mutex_unlock(&lock);
    return sqlite3_vfs_register(&layer, 1);
}

void power_cut_remove(void) {
    if (platform) sqlite3_vfs_register(platform, 1);
}

/* Whether the file lies in the folder itself. */
static int lies_in(const struct image *image, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(image->path, folder, length) == 0 && image->path[length] == '/'
        && !strchr(image->path + length + 1, '/');
}

void power_cut_set_fault(const char *folder, enum power_cut_fault fault) {
    pthread_mutex_lock(&lock);
    for (struct image *image = images; image; image = image->next)
        if (lies_in(image, folder)) image->fault = fault;
    pthread_mutex_unlock(&lock);
}

void power_cut_forget(const char *folder) {
    pthread_mutex_lock(&lock);
    for (struct image *image = images; image; image = image->next)
        if (lies_in(image, folder)) {
            forget_changes(image);
            free(image->bytes);
            image->bytes = NULL;
            image->size = 0;
        }
    pthread_mutex_unlock(&lock);
}

uint64_t power_cut_syncs(void) {
    pthread_mutex_lock(&lock);
    uint64_t count = syncs;
    pthread_mutex_unlock(&lock);
    return count;
}

/* Applies what of a change is left of it. */
static void leave(uint8_t **bytes, int64_t *size, const struct change *change, enum power_cut_kind kind, uint64_t *random) {
    if (kind != POWER_CUT_SECTORS || !change->bytes) {
        if (kind != POWER_CUT_SECTORS || next_random(random) >> 63) apply(bytes, size, change);
        return;
    }
    int64_t done = 0;
    while (done < change->size) {
        int64_t room = SECTOR - (change->offset + done) % SECTOR;
        int64_t count = change->size - done < room ? change->size - done : room;
        if (next_random(random) >> 63) put(bytes, size, change->offset + done, change->bytes + done, count);
        done += count;
    }
}

static int write_image(const struct image *image, const char *target, enum power_cut_kind kind, uint64_t *random) {
    int64_t size = image->size;
    uint8_t *bytes = malloc((size_t)size + 1);
    if (!bytes) return ENOMEM;
    if (size) memcpy(bytes, image->bytes, (size_t)size);
    uint64_t count = 0;
    for (struct change *change = image->first; change; change = change->next) count++;
    uint64_t kept = kind == POWER_CUT_NONE ? 0 : kind == POWER_CUT_PREFIX ? next_random(random) % (count + 1) : count;
    for (struct change *change = image->first; change && kept; change = change->next, kept--)
        leave(&bytes, &size, change, kind, random);
    const char *name = strrchr(image->path, '/');
    char path[4096];
    snprintf(path, sizeof path, "%s%s", target, name ? name : "/unnamed");
    FILE *out = fopen(path, "wb");
    int code = out ? 0 : errno;
    if (out) {
        if (fwrite(bytes, 1, (size_t)size, out) != (size_t)size) code = errno ? errno : EIO;
        if (fclose(out) != 0 && code == 0) code = errno;
    }
    free(bytes);
    return code;
}

int power_cut_snapshot(const char *source, const char *target, enum power_cut_kind kind, uint64_t seed) {
    uint64_t random = seed * 0x9E3779B97F4A7C15ULL | 1;
    int code = 0;
    pthread_mutex_lock(&lock);
    for (struct image *image = images; image && code == 0; image = image->next)
        if (image->exists && lies_in(image, source)) code = write_image(image, target, kind, &random);
    pthread_mutex_unlock(&lock);
    return code;
}
