// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(BelievesSizes, "1.0.0")

static theatre_code copy_all(void *self, const theatre_request *request) {
    theatre_request copy;
    void *(*volatile move)(void *, const void *, size_t) = memcpy;
    move(&copy, request, request->struct_size);
    return fixture_serves(self, &copy);
}

FIXTURE_CREATE(BelievesSizes, fixture_is_well, copy_all)
