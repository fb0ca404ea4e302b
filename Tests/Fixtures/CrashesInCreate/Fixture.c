// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// A build of Edition that ends the process it is created in.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Edition, "2.0.0")

theatre_code theatre_create_Edition(const theatre_host *host, const theatre_create *create,
                                    theatre_instance **instance, theatre_error *error) {
    (void)host, (void)create, (void)instance, (void)error;
    abort();
}
