// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Meddles, "1.0.0")

static void *wait_forever(void *unused) {
    (void)unused;
    for (;;) pause();
}

__attribute__((constructor)) static void meddle(void) {
    pthread_t thread;
    pthread_create(&thread, 0, wait_forever, 0);
    if (open("/dev/zero", O_RDONLY) < 0) abort();
    signal(SIGUSR2, SIG_IGN);
    setenv("FIXTURE_WAS_HERE", "1", 1);
    setlocale(LC_ALL, "C.UTF-8");
    if (chdir("/") != 0) abort();
    printf("loaded\n");
    fflush(stdout);
}

FIXTURE_CREATE(Meddles, fixture_is_well, fixture_serves)
