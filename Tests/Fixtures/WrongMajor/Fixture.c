// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Was built for an interface this host does not speak.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(WrongMajor, "1.0.0")

FIXTURE_CREATE(WrongMajor, fixture_is_well, fixture_serves)
