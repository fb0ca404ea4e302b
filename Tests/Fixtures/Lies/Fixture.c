// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table has another version and another manifest than the section the host read.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};

static const uint8_t other_manifest[] = "{\"manifest\": 1, \"name\": \"Lies\", \"version\": \"9.9.9\"}";

static theatre_code create(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                           theatre_error *error) {
    (void)create;
    return fixture_make(host, instance, error, fixture_is_well, fixture_serves);
}

__attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_Lies(void) {
    static const theatre_plugin plugin = {
        .struct_size = sizeof(theatre_plugin),
        .abi_major = THEATRE_ABI_MAJOR,
        .name = {(const uint8_t *)"Lies", 4},
        .version = {(const uint8_t *)"9.9.9", 5},
        .manifest = {other_manifest, sizeof other_manifest - 1},
        .contracts = {theatre_contracts, sizeof theatre_contracts},
        /* Keeps the section that it does not hand out. */
        .build_id = {theatre_manifest, 1},
        .create = create,
    };
    return &plugin;
}
