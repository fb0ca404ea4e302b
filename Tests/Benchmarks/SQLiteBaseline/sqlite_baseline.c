// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "sqlite_baseline.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What all threads share. */
struct load {
    const char *path, *sql, *tenant;
    int rows;
    uint64_t end;
    sqlite3 *writer;
    sqlite3_stmt *write;
    pthread_mutex_t turn;
    pthread_barrier_t start;
    int milliseconds;
};

struct worker {
    struct load *load;
    pthread_t thread;
    uint64_t chance, count;
    int code;
};

static uint64_t now(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int64_t draw(struct worker *worker) {
    uint64_t x = worker->chance;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    worker->chance = x;
    return (int64_t)(x % (uint64_t)worker->load->rows);
}

/* A connection with the pragmas of the storage plugin, and a statement on it. */
static int prepare(const struct load *load, int is_writer, sqlite3 **handle, sqlite3_stmt **statement) {
    int code = sqlite3_open_v2(load->path, handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_busy_timeout(*handle, 5000);
    const char *pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                          "PRAGMA case_sensitive_like = ON; PRAGMA temp_store = FILE;"
                          "PRAGMA wal_autocheckpoint = 4000";
    code = sqlite3_exec(*handle, pragmas, NULL, NULL, NULL);
    if (code == SQLITE_OK && !is_writer)
        code = sqlite3_exec(*handle, "PRAGMA query_only = ON", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return code;
    return sqlite3_prepare_v3(*handle, load->sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static int run(struct worker *worker, sqlite3_stmt *statement, int columns) {
    sqlite3_bind_text(statement, 1, worker->load->tenant, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 2, draw(worker));
    int code = sqlite3_step(statement);
    if (columns && code == SQLITE_ROW) {
        char name[256];
        volatile int64_t amount = sqlite3_column_int64(statement, 0);
        (void)amount;
        const unsigned char *text = sqlite3_column_text(statement, 1);
        int size = sqlite3_column_bytes(statement, 1);
        memcpy(name, text, (size_t)size < sizeof name ? (size_t)size : sizeof name);
        __asm__ volatile("" : : "r"(name) : "memory");
        code = sqlite3_step(statement);
    } else if (columns) {
        code = code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static void *read_on(void *argument) {
    struct worker *worker = argument;
    sqlite3 *handle = NULL;
    sqlite3_stmt *statement = NULL;
    worker->code = prepare(worker->load, 0, &handle, &statement);
    pthread_barrier_wait(&worker->load->start);
    uint64_t end = now() + (uint64_t)worker->load->milliseconds * 1000000u;
    while (worker->code == SQLITE_OK && now() < end) {
        worker->code = run(worker, statement, 1);
        worker->count++;
    }
    sqlite3_finalize(statement);
    sqlite3_close_v2(handle);
    return NULL;
}

static void *write_on(void *argument) {
    struct worker *worker = argument;
    struct load *load = worker->load;
    pthread_barrier_wait(&load->start);
    uint64_t end = now() + (uint64_t)load->milliseconds * 1000000u;
    while (worker->code == SQLITE_OK && now() < end) {
        pthread_mutex_lock(&load->turn);
        worker->code = run(worker, load->write, 0);
        pthread_mutex_unlock(&load->turn);
        worker->count++;
    }
    return NULL;
}

static double rate(struct load *load, int threads, void *(*body)(void *)) {
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    if (workers == NULL)
        return -SQLITE_NOMEM;
    pthread_barrier_init(&load->start, NULL, (unsigned)threads + 1);
    for (int index = 0; index < threads; index++) {
        workers[index].load = load;
        workers[index].chance = ((uint64_t)index + 1) * 0x9e3779b97f4a7c15u | 1;
        if (pthread_create(&workers[index].thread, NULL, body, &workers[index]) != 0)
            abort();
    }
    pthread_barrier_wait(&load->start);
    uint64_t began = now(), count = 0;
    int code = SQLITE_OK;
    for (int index = 0; index < threads; index++) {
        pthread_join(workers[index].thread, NULL);
        count += workers[index].count;
        if (workers[index].code != SQLITE_OK)
            code = workers[index].code;
    }
    double seconds = (double)(now() - began) / 1e9;
    pthread_barrier_destroy(&load->start);
    free(workers);
    return code == SQLITE_OK ? (double)count / seconds : -(double)code;
}

double sqlite_baseline_reads(
    const char *path, const char *sql, const char *tenant, int threads, int rows, int milliseconds) {
    struct load load = {
        .path = path, .sql = sql, .tenant = tenant, .rows = rows, .milliseconds = milliseconds};
    return rate(&load, threads, read_on);
}

double sqlite_baseline_writes(
    const char *path, const char *sql, const char *tenant, int threads, int rows, int milliseconds) {
    struct load load = {
        .path = path, .sql = sql, .tenant = tenant, .rows = rows, .milliseconds = milliseconds};
    pthread_mutex_init(&load.turn, NULL);
    int code = prepare(&load, 1, &load.writer, &load.write);
    double result = code == SQLITE_OK ? rate(&load, threads, write_on) : -(double)code;
    sqlite3_finalize(load.write);
    sqlite3_close_v2(load.writer);
    pthread_mutex_destroy(&load.turn);
    return result;
}
