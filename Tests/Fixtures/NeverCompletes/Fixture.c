// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Accepts every call and forgets it.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(NeverCompletes, "1.0.0")

static theatre_code forget(void *self, const theatre_request *request) {
    (void)self, (void)request;
    return THEATRE_OK;
}

FIXTURE_CREATE(NeverCompletes, fixture_is_well, forget)
