// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};

theatre_code theatre_create_Fickle(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                   theatre_error *error) {
    (void)create;
    return fixture_make(host, instance, error, fixture_is_well, fixture_serves);
}

__attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_Fickle(void) {
    theatre_plugin *plugin = malloc(sizeof *plugin);
    *plugin = (theatre_plugin){
        .struct_size = sizeof(theatre_plugin),
        .abi_major = THEATRE_ABI_MAJOR,
        .name = {(const uint8_t *)"Fickle", 6},
        .version = {(const uint8_t *)"1.0.0", 5},
        .manifest = {theatre_manifest, sizeof theatre_manifest},
        .contracts = {theatre_contracts, sizeof theatre_contracts},
        .create = theatre_create_Fickle,
    };
    return plugin;
}
