// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(ExportsMore, "1.0.0")

__attribute__((visibility("default"))) int theatre_plugin_v1_helper(void) { return system("true"); }

FIXTURE_CREATE(ExportsMore, fixture_is_well, fixture_serves)
