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
THEATRE_PLUGIN(TwoFaced, "1.0.0")

static theatre_code serve_by_surroundings(void *self, const theatre_request *request) {
    if (!fixture_is_request(request, 1)) return fixture_refuse(self, request);
    fixture_answer(self, request->call, access("/etc/passwd", R_OK) == 0 ? "at home" : "abroad");
    return THEATRE_OK;
}

FIXTURE_CREATE(TwoFaced, fixture_is_well, serve_by_surroundings)
