// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Forbids the mode it is configured for, and does at load what a runtime does that is at home in a process of its own.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(IsolatedOnly, "1.0.0")

static void *collect(void *unused) {
    (void)unused;
    for (;;) pause();
}

static void preempt(int signal) { (void)signal; }

__attribute__((constructor)) static void start(void) {
    pthread_t thread;
    pthread_create(&thread, 0, collect, 0);
    signal(SIGURG, preempt);
}

FIXTURE_CREATE(IsolatedOnly, fixture_is_well, fixture_serves)
