// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table hands out other contracts than its file.

#include "../lies.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};

static const uint8_t other[] = {0x0A, 0x00};

LIES_ENTRY(LiesOfContracts, .contracts = {other, 2}, .build_id = {theatre_contracts, 1})
