// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _DEFAULT_SOURCE
#include <pthread.h>
#include <unistd.h>
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Lingers, "1.0.0")

static void *log_late(void *argument) {
    const theatre_host *host = argument;
    usleep(30000);
    host->log(host->ctx, THEATRE_LOG_INFO, fixture_text("I am still here"), (theatre_bytes){0});
    return 0;
}

static void leave_a_thread(void *self) {
    fixture *me = self;
    pthread_t thread;
    if (pthread_create(&thread, 0, log_late, (void *)me->host) == 0) pthread_detach(thread);
    free(me);
}

theatre_code theatre_create_Lingers(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                    theatre_error *error) {
    (void)create;
    theatre_code code = fixture_make(host, instance, error, fixture_is_well, fixture_serves);
    if (code == THEATRE_OK) (*instance)->destroy = leave_a_thread;
    return code;
}
