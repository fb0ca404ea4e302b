// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(ReadsBeyond, "1.0.0")

static volatile uint64_t seen;

static theatre_code read_beyond(void *self, const theatre_request *request) {
    seen = *(const volatile uint64_t *)(request + 1);
    return fixture_serves(self, request);
}

FIXTURE_CREATE(ReadsBeyond, fixture_is_well, read_beyond)
