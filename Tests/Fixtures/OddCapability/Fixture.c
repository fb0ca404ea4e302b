// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Carries the contracts of another plugin.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "../Good/contracts.binpb"
};
THEATRE_PLUGIN(OddCapability, "1.0.0")

FIXTURE_CREATE(OddCapability, fixture_is_well, fixture_serves)
