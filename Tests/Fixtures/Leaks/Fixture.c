// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Leaks, "1.0.0")

static void *volatile lost;

static void *wait_forever(void *unused) {
    (void)unused;
    for (;;) pause();
}

theatre_code theatre_create_Leaks(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                  theatre_error *error) {
    (void)create;
    pthread_t thread;
    lost = malloc(65536);
    if (open("/dev/zero", O_RDONLY) < 0 || pthread_create(&thread, 0, wait_forever, 0) != 0)
        return fixture_fail(error, THEATRE_RESOURCE_EXHAUSTED, "fixture.full", "There is nothing left to leak.");
    return fixture_make(host, instance, error, fixture_is_well, fixture_serves);
}
