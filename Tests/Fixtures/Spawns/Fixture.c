// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};

theatre_code theatre_create_Spawns(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                   theatre_error *error) {
    (void)create;
    return fixture_make(host, instance, error, fixture_is_well, fixture_serves);
}

static void *wait_forever(void *unused) {
    (void)unused;
    for (;;) pause();
}

/* Keeps a statistic that it has threads for, one for each of the first hundreds of calls. */
__attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_Spawns(void) {
    static atomic_uint calls;
    static const theatre_plugin plugin = {
        .struct_size = sizeof(theatre_plugin),
        .abi_major = THEATRE_ABI_MAJOR,
        .name = {(const uint8_t *)"Spawns", 6},
        .version = {(const uint8_t *)"1.0.0", 5},
        .manifest = {theatre_manifest, sizeof theatre_manifest},
        .contracts = {theatre_contracts, sizeof theatre_contracts},
        .create = theatre_create_Spawns,
    };
    unsigned number = atomic_fetch_add(&calls, 1);
    pthread_t thread;
    if (number % 100 == 99 && number < 2000 && pthread_create(&thread, 0, wait_forever, 0) == 0) pthread_detach(thread);
    return &plugin;
}
