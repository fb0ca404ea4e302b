// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include <unistd.h>
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Blocks, "1.0.0")

static theatre_code sleep_first(void *self, const theatre_request *request) {
    sleep(30);
    return fixture_serves(self, request);
}

FIXTURE_CREATE(Blocks, fixture_is_well, sleep_first)
