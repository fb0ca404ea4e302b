// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table has another name than its manifest.

#include "../lies.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
LIES_ENTRY(LiesOfName, .name = {(const uint8_t *)"Other", 5})
