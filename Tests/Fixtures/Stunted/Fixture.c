// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table states a byte less than the table of revision 0 has.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};

FIXTURE_CREATE(Stunted, fixture_is_well, fixture_serves)

__attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_Stunted(void) {
    static const theatre_plugin plugin = {
        .struct_size = THEATRE_PLUGIN_SIZE_0 - 1,
        .abi_major = THEATRE_ABI_MAJOR,
        .name = {(const uint8_t *)"Stunted", 7},
        .version = {(const uint8_t *)"1.0.0", 5},
        .manifest = {theatre_manifest, sizeof theatre_manifest},
        .contracts = {theatre_contracts, sizeof theatre_contracts},
        .create = theatre_create_Stunted,
    };
    return &plugin;
}
