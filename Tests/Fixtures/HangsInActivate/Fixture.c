// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Never comes back from activate.

#include <unistd.h>
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(HangsInActivate, "1.0.0")

static theatre_code hang(void *self, theatre_error *error) {
    (void)self, (void)error;
    for (;;) pause();
}

FIXTURE_CREATE(HangsInActivate, hang, fixture_serves)
