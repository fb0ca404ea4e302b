// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Exits, "1.0.0")

static theatre_code leave(void *self, theatre_error *error) {
    (void)self, (void)error;
    exit(0);
}

FIXTURE_CREATE(Exits, leave, fixture_serves)
