// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table hands out another manifest than its file.

#include "../lies.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};

static const uint8_t other[] = "{}";

LIES_ENTRY(LiesOfManifest, .manifest = {other, 2}, .build_id = {theatre_manifest, 1})
