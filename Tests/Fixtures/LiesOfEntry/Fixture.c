// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its entry returns no table.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};

/* Keeps the sections that it does not hand out. */
static const theatre_bytes kept[] = {{theatre_manifest, 1}, {theatre_contracts, 1}};
static const theatre_bytes *volatile keeps = kept;

__attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_LiesOfEntry(void) {
    return keeps ? 0 : (const theatre_plugin *)keeps;
}
