// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table has no create function.

#include "../lies.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
LIES_ENTRY(LiesOfCreate, .create = 0)
