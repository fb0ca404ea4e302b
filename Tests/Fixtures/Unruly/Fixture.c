// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// A plugin that does to its process what the text of the call asks for.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Unruly, "1.0.0")

static int asks(const theatre_request *request, const char *word) {
    return memmem(request->payload.data, request->payload.size, word, strlen(word)) != NULL;
}

/* `ok`, or the error of what was tried. */
static theatre_code tried(void *self, theatre_id call, int worked) {
    return fixture_answer(self, call, worked ? "ok" : strerror(errno)), THEATRE_OK;
}

/* Memory that is touched; null where there is no more. */
static void *touched(size_t size) {
    char *memory = malloc(size);
    for (size_t i = 0; memory != NULL && i < size; i += 4096) ((volatile char *)memory)[i] = 1;
    return memory;
}

static int runs_a_process(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, NULL, 0);
    return child > 0;
}

static int opens(const char *path, int flags) {
    int file = open(path, flags, 0600);
    if (file >= 0) close(file);
    return file >= 0;
}

/* The path after `word`, up to a semicolon. */
static int opens_named(const theatre_request *request, const char *word, int flags) {
    const char *start = memmem(request->payload.data, request->payload.size, word, strlen(word));
    const char *stop = memchr(start, ';', request->payload.size - (size_t)(start - (const char *)request->payload.data));
    char path[512];
    snprintf(path, sizeof path, "%.*s", (int)(stop - start - (long)strlen(word)), start + strlen(word));
    return opens(path, flags);
}

/* Connects as any library does to `dial:NAME PORT;` and answers with what it is greeted with. */
static theatre_code dials(void *self, const theatre_request *request) {
    char name[200] = "", port[8] = "", greeting[64] = "";
    const char *start = memmem(request->payload.data, request->payload.size, "dial:", 5);
    sscanf(start + 5, "%199s %7[0-9]", name, port);
    struct addrinfo *found = NULL;
    if (getaddrinfo(name, port, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found) != 0)
        return fixture_answer(self, request->call, "no such name"), THEATRE_OK;
    int end = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    int worked = end >= 0 && connect(end, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (worked && read(end, greeting, sizeof greeting - 1) > 0) fixture_answer(self, request->call, greeting);
    else tried(self, request->call, 0);
    if (end >= 0) close(end);
    return THEATRE_OK;
}

static int sees_an_interface(void) {
    int end = socket(AF_INET, SOCK_DGRAM, 0);
    if (end >= 0) close(end);
    return end >= 0;
}

/* What the system says of its privileges. */
static void tells_privileges(void *self, theatre_id call) {
    char line[128], text[256] = "";
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "CapEff", 6) == 0 || strncmp(line, "CapBnd", 6) == 0 || strncmp(line, "NoNewPrivs", 10) == 0)
            strncat(text, line, sizeof text - strlen(text) - 1);
    }
    if (status != NULL) fclose(status);
    fixture_answer(self, call, text);
}

/* Which descriptors are open, without the one that looks. */
static void lists_descriptors(void *self, theatre_id call) {
    char text[256] = "";
    for (int i = 0; i < 1024; i++)
        if (fcntl(i, F_GETFD) >= 0) snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", *text ? " " : "", i);
    fixture_answer(self, call, text);
}

static pthread_barrier_t nobody_passes;
static void *waits(void *unused) { return pthread_barrier_wait(&nobody_passes), unused; }

/* How many threads more it can have, of 600. */
static void counts_threads(void *self, theatre_id call) {
    pthread_t threads[600];
    int count = 0;
    pthread_barrier_init(&nobody_passes, NULL, 601);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 16);
    while (count < 600 && pthread_create(&threads[count], &small, waits, NULL) == 0) count++;
    char text[16];
    snprintf(text, sizeof text, "%d", count);
    fixture_answer(self, call, text);
}

static uint64_t random_state;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* A number that a careless host might trust. */
static uint64_t odd_number(theatre_id call) {
    static const uint64_t odd[] = {0, 1, 2, 4, 7, 16, 4095, 4096, 1ull << 31, 1ull << 32 | 1ull << 31, UINT32_MAX, UINT64_MAX};
    uint64_t pick = next_random() % 16;
    return pick < 12 ? odd[pick] : pick < 14 ? call : next_random();
}

/* The memory that is shared with the host: a ring each way, each with a line for what was sent, received, and who rests, and
 * its bytes. The second is the one to the host. */
#define RING_BYTES (256u << 10)
#define RING (256u + RING_BYTES)
static uint8_t *shared_memory(void) {
    static uint8_t *found;
    char line[512];
    FILE *maps = found ? NULL : fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (strstr(line, "theatre-pipe") != NULL) found = (uint8_t *)strtoull(line, NULL, 16);
    }
    if (maps != NULL) fclose(maps);
    if (found == NULL) abort();
    return found;
}

/* Wakes the host. */
static int wakes(void) { return write(3, "", 1) == 1; }

/* Says something to the host past the runner; false where the host is gone. */
static int says(const uint8_t *bytes, uint32_t size) {
    uint8_t *ring = shared_memory() + RING;
    volatile uint64_t *sent = (volatile uint64_t *)ring, *received = (volatile uint64_t *)(ring + 64);
    while (*sent + size - *received > RING_BYTES) {
        if (!wakes()) return 0;
    }
    for (uint32_t i = 0; i < size; i++) ring[256 + (*sent + i) % RING_BYTES] = bytes[i];
    __atomic_store_n((uint64_t *)ring, *sent + size, __ATOMIC_SEQ_CST);
    return wakes();
}

/* Anything at all where the counts are, while the host goes by them. */
static void scribbles(void) {
    for (int i = 0; i < 2000; i++) {
        uint64_t *place = (uint64_t *)(shared_memory() + (next_random() % 2) * RING + next_random() % 4 * 64);
        uint64_t near = *place + next_random() % 9 - 4, odd = odd_number(next_random());
        __atomic_store_n(place, next_random() % 8 ? near : odd, __ATOMIC_SEQ_CST);
        if (next_random() % 16 == 0 && !wakes()) return;
    }
}

/* Frames that are sound in form and mean anything at all, said past the runner. */
static void write_odd_frames(theatre_id call, int count) {
    /* type, numbers, parts, call: as in the table of the codec, what a runner may send */
    static const uint8_t shapes[][4] = {{2, 2, 1, 0}, {3, 0, 4, 0}, {6, 5, 3, 0}, {7, 5, 4, 1}, {8, 5, 4, 1}, {9, 2, 1, 1},
                                        {10, 1, 0, 1}, {11, 1, 0, 1}, {12, 1, 0, 1}, {13, 1, 2, 0}, {16, 1, 0, 0}};
    for (int i = 0; i < count; i++) {
        /* Those that are refused at once come seldom, so that the others are seen too. */
        const uint8_t *shape = shapes[next_random() % 40 == 0 ? next_random() % 3 : 3 + next_random() % 7];
        uint8_t frame[4096];
        uint32_t lengths[5] = {0}, size = 16 + 8u * shape[1] + 4u * shape[2];
        for (int part = 0; part < shape[2]; part++) size += lengths[part] = (uint32_t)(next_random() % 200);
        uint64_t id = shape[3] ? (next_random() % 2 ? call : odd_number(call) | 1) : 0;
        memcpy(frame, &size, 4);
        memcpy(frame + 4, (uint8_t[]){shape[0], shape[1], shape[2], 0}, 4);
        memcpy(frame + 8, &id, 8);
        uint8_t *at = frame + 16;
        for (int number = 0; number < shape[1]; number++, at += 8) memcpy(at, (uint64_t[]){odd_number(call)}, 8);
        memcpy(at, lengths, 4u * shape[2]);
        for (at += 4u * shape[2]; at < frame + size; at++) *at = (uint8_t)next_random();
        if (next_random() % 500 == 0) frame[next_random() % 16] ^= (uint8_t)next_random();
        if (!says(frame, size)) return;
    }
    /* All of it is heard before the runner, whose own count is another, says something itself. */
    volatile uint64_t *sent = (volatile uint64_t *)(shared_memory() + RING), *received = sent + 8;
    while (*received != *sent && wakes()) continue;
}

static void crash(const theatre_request *request) {
    if (asks(request, "segv")) *(volatile int *)0 = 1;
    if (asks(request, "trap")) __builtin_trap();
    if (asks(request, "abort")) abort();
    if (asks(request, "exit")) exit(3);
    if (asks(request, "hang")) for (;;) pause();
    if (asks(request, "oom")) {
        fprintf(stderr, "memory runs out\n");
        for (;;) if (touched(1 << 24) == NULL) abort();
    }
    if (asks(request, "closes")) for (int i = 3; i < 100; i++) close(i);
    if (asks(request, "babbles")) {
        static const unsigned char babble[64] = {0xff, 0xff, 0xff, 0x7f, 99};
        if (!says(babble, sizeof babble)) abort();
        for (;;) pause(); /* the runner would say something over it */
    }
}

static theatre_code invoke(void *self, const theatre_request *request) {
    theatre_id call = request->call;
    if (asks(request, "never")) return THEATRE_OK;
    if (asks(request, "reject")) return THEATRE_RESOURCE_EXHAUSTED;
    if (asks(request, "clock")) {
        const theatre_host *host = ((fixture *)self)->host;
        char text[40];
        snprintf(text, sizeof text, "%llu", (unsigned long long)(host->now(host->ctx, THEATRE_CLOCK_WALL) / 1000000));
        return fixture_answer(self, call, text), THEATRE_OK;
    }
    if (asks(request, "floods")) {
        const theatre_host *host = ((fixture *)self)->host;
        for (int i = 0; i < 20000; i++) host->log(host->ctx, THEATRE_LOG_INFO, fixture_text("water"), fixture_text("{}"));
    }
    crash(request);
    if (asks(request, "closes")) return THEATRE_OK;
    const char *seed = memmem(request->payload.data, request->payload.size, "odd:", 4);
    if (seed != NULL) {
        random_state = (uint64_t)atoi(seed + 4) * 0x9e3779b97f4a7c15u + 1;
        write_odd_frames(call, 2000);
    }
    seed = memmem(request->payload.data, request->payload.size, "counts:", 7);
    if (seed != NULL) {
        random_state = (uint64_t)atoi(seed + 7) * 0x9e3779b97f4a7c15u + 1;
        scribbles();
    }
    if (asks(request, "dial:")) return dials(self, request);
    if (asks(request, "creates:")) return tried(self, call, opens_named(request, "creates:", O_CREAT | O_RDWR));
    if (asks(request, "opens:")) return tried(self, call, opens_named(request, "opens:", O_RDONLY));
    if (asks(request, "socket")) return tried(self, call, socket(AF_INET, SOCK_STREAM, 0) >= 0);
    if (asks(request, "datagram")) return tried(self, call, sees_an_interface());
    if (asks(request, "passwd")) return tried(self, call, opens("/etc/passwd", O_RDONLY));
    if (asks(request, "proc")) return tried(self, call, opens("/proc/meminfo", O_RDONLY));
    if (asks(request, "writes")) return tried(self, call, opens("/written", O_CREAT | O_WRONLY));
    if (asks(request, "scratch")) return tried(self, call, opens("/tmp/scratch", O_CREAT | O_RDWR));
    if (asks(request, "fork")) return tried(self, call, runs_a_process());
    if (asks(request, "exec")) return tried(self, call, execl("/bin/true", "true", (char *)0) == 0);
    if (asks(request, "ptrace")) return tried(self, call, ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    if (asks(request, "kill")) return tried(self, call, kill(getppid() ? getppid() : 1, 0) == 0);
    if (asks(request, "limit")) return tried(self, call, setrlimit(RLIMIT_DATA, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}) == 0);
    if (asks(request, "code")) return tried(self, call, mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    if (asks(request, "descriptors")) return lists_descriptors(self, call), THEATRE_OK;
    if (asks(request, "privileges")) return tells_privileges(self, call), THEATRE_OK;
    if (asks(request, "threads")) return counts_threads(self, call), THEATRE_OK;
    if (asks(request, "large")) return tried(self, call, touched(1u << 30) != NULL);
    return fixture_answer(self, call, "served"), THEATRE_OK;
}

FIXTURE_CREATE(Unruly, fixture_is_well, invoke)
