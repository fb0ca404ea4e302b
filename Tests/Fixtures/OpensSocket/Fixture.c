// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include <sys/socket.h>
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(OpensSocket, "1.0.0")

static theatre_code open_one(void *self, theatre_error *error) {
    (void)self;
    if (socket(AF_INET, SOCK_STREAM, 0) < 0)
        return fixture_fail(error, THEATRE_UNAVAILABLE, "fixture.no_socket", "There is no socket.");
    return THEATRE_OK;
}

FIXTURE_CREATE(OpensSocket, open_one, fixture_serves)
