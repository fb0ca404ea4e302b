// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Sound; the deployments give it a configuration that fails its schema.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(BadConfig, "1.0.0")

FIXTURE_CREATE(BadConfig, fixture_is_well, fixture_serves)
