// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(KeepsBorrowed, "1.0.0")

static const uint8_t *kept;
static volatile uint8_t seen;

static theatre_code answer_late(void *self, const theatre_request *request) {
    if (kept) seen = *kept;
    if (request->payload.size > 0) kept = request->payload.data;
    return fixture_serves(self, request);
}

FIXTURE_CREATE(KeepsBorrowed, fixture_is_well, answer_late)
