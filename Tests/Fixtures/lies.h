/* What the plugins have in common whose table says otherwise than their file.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIES_H
#define LIES_H

#include "fixture.h"

static theatre_code lies_create(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                theatre_error *error) {
    (void)create;
    return fixture_make(host, instance, error, fixture_is_well, fixture_serves);
}

/* An entry whose table is as it should be but for what is given: designated members, which win over those before.
 * `build_id` keeps both sections where the table hands out others. */
#define LIES_ENTRY(plugin_name, ...)                                                                           \
    __attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_##plugin_name(void) {       \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Winitializer-overrides\"")           \
        static const theatre_plugin plugin = {                                                                 \
            .struct_size = sizeof(theatre_plugin),                                                             \
            .abi_major = THEATRE_ABI_MAJOR,                                                                    \
            .name = {(const uint8_t *)#plugin_name, sizeof #plugin_name - 1},                                  \
            .version = {(const uint8_t *)"1.0.0", 5},                                                          \
            .manifest = {theatre_manifest, sizeof theatre_manifest},                                           \
            .contracts = {theatre_contracts, sizeof theatre_contracts},                                        \
            .create = lies_create,                                                                             \
            __VA_ARGS__};                                                                                      \
        _Pragma("GCC diagnostic pop")                                                                          \
        return &plugin;                                                                                        \
    }

#endif
