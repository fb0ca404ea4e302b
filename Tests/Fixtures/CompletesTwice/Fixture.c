// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Completes every call twice, with different answers.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(CompletesTwice, "1.0.0")

static theatre_code twice(void *self, const theatre_request *request) {
    fixture_answer(self, request->call, "first");
    fixture_answer(self, request->call, "second");
    return THEATRE_OK;
}

FIXTURE_CREATE(CompletesTwice, fixture_is_well, twice)
