// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// A plugin that does to its process what the text of the call asks for.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

static int sees_an_interface(void) {
    int end = socket(AF_INET, SOCK_DGRAM, 0);
    if (end >= 0) close(end);
    return end >= 0;
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
        if (write(3, babble, sizeof babble) < 0) abort();
    }
}

static theatre_code invoke(void *self, const theatre_request *request) {
    theatre_id call = request->call;
    if (asks(request, "never")) return THEATRE_OK;
    if (asks(request, "reject")) return THEATRE_RESOURCE_EXHAUSTED;
    crash(request);
    if (asks(request, "socket")) return tried(self, call, socket(AF_INET, SOCK_STREAM, 0) >= 0);
    if (asks(request, "datagram")) return tried(self, call, sees_an_interface());
    if (asks(request, "passwd")) return tried(self, call, opens("/etc/passwd", O_RDONLY));
    if (asks(request, "proc")) return tried(self, call, opens("/proc/1/environ", O_RDONLY));
    if (asks(request, "writes")) return tried(self, call, opens("/written", O_CREAT | O_WRONLY));
    if (asks(request, "scratch")) return tried(self, call, opens("/tmp/scratch", O_CREAT | O_RDWR));
    if (asks(request, "fork")) return tried(self, call, runs_a_process());
    if (asks(request, "exec")) return tried(self, call, execl("/bin/true", "true", (char *)0) == 0);
    if (asks(request, "ptrace")) return tried(self, call, ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    if (asks(request, "kill")) return tried(self, call, kill(getppid() ? getppid() : 1, 0) == 0);
    if (asks(request, "limit")) return tried(self, call, setrlimit(RLIMIT_DATA, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}) == 0);
    if (asks(request, "code")) return tried(self, call, mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    if (asks(request, "large")) return tried(self, call, touched(1u << 30) != NULL);
    return fixture_answer(self, call, "served"), THEATRE_OK;
}

FIXTURE_CREATE(Unruly, fixture_is_well, invoke)
