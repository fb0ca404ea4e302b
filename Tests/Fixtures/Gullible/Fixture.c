// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Gullible, "1.0.0")

static theatre_code serve_anything(void *self, const theatre_request *request) {
    fixture_answer(self, request->call, "served");
    return THEATRE_OK;
}

FIXTURE_CREATE(Gullible, fixture_is_well, serve_anything)
