// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table ends before the functions do.

#include "../lies.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
LIES_ENTRY(LiesOfSize, .struct_size = 24)
