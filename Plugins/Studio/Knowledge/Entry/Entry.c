// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "theatre_plugin_entry.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "../plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Knowledge, "0.1.0")
