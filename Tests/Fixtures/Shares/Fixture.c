// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Shares, "1.0.0")

static int is_dead;

static theatre_code serve_while_alive(void *self, const theatre_request *request) {
    return is_dead ? THEATRE_OK : fixture_serves(self, request);
}

static void die(void *self) {
    is_dead = 1;
    free(self);
}

theatre_code theatre_create_Shares(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                   theatre_error *error) {
    (void)create;
    is_dead = 0;
    theatre_code code = fixture_make(host, instance, error, fixture_is_well, serve_while_alive);
    if (code == THEATRE_OK) (*instance)->destroy = die;
    return code;
}
