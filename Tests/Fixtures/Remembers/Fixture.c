// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <stdatomic.h>
#include <time.h>

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Remembers, "1.0.0")

/* The instance that was created last: the wrong place to keep anything. */
static void *_Atomic latest;

/* Calls that were answered by another than the one they were given to. */
static atomic_int mistaken;

static theatre_code serve_by_latest(void *self, const theatre_request *request) {
    void *remembered = latest;
    theatre_code code = fixture_serves(remembered, request);
    if (remembered != self) mistaken += 1;
    return code;
}

/* Between create and the flip the other generation serves; here that lasts until it was given a call, as with one that
   has much to do. Before that other one there is none, and nothing comes. */
static theatre_code come_up_slowly(void *self, theatre_error *error) {
    struct timespec pause = {.tv_nsec = 1000000};
    int before = mistaken;
    for (int i = 0; i < 1500 && mistaken == before; i++) nanosleep(&pause, NULL);
    return fixture_is_well(self, error);
}

/* What it remembers outlives the instance. */
static void stay(void *self) { (void)self; }

theatre_code theatre_create_Remembers(const theatre_host *host, const theatre_create *create,
                                      theatre_instance **instance, theatre_error *error) {
    (void)create;
    theatre_code code = fixture_make(host, instance, error, come_up_slowly, serve_by_latest);
    if (code != THEATRE_OK) return code;
    (*instance)->destroy = stay;
    latest = (*instance)->self;
    return THEATRE_OK;
}
