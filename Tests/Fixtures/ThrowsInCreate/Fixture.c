// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Fails in create, as one that cannot read what it needs.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(ThrowsInCreate, "1.0.0")

theatre_code theatre_create_ThrowsInCreate(const theatre_host *host, const theatre_create *create,
                                           theatre_instance **instance, theatre_error *error) {
    (void)host, (void)create, (void)instance;
    return fixture_fail(error, THEATRE_FAILED_PRECONDITION, "fixture.no_weights", "The weights are not where they should be.");
}
