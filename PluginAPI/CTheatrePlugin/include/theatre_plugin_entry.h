/* Defines the one exported function of a plugin, with its manifest in its own ELF section.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   #include "theatre_plugin_entry.h"
 *   THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
 *   #embed "plugin.json"
 *   };
 *   THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
 *   #embed "contracts.binpb"
 *   };
 *   THEATRE_PLUGIN(Ledger, "1.0.0")
 *
 * and elsewhere, in any language: theatre_code theatre_create_Ledger(host, create, instance, error).
 */
#ifndef THEATRE_PLUGIN_ENTRY_H
#define THEATRE_PLUGIN_ENTRY_H

#include "theatre_plugin.h"

#define THEATRE_EMBED(name, section_name) \
    static const uint8_t name[] __attribute__((section(section_name), used, aligned(1)))

#define THEATRE_PLUGIN(plugin_name, plugin_version)                                                            \
    theatre_code theatre_create_##plugin_name(const theatre_host *, const theatre_create *,                    \
                                              theatre_instance **, theatre_error *);                           \
    __attribute__((visibility("default"))) const theatre_plugin *theatre_plugin_v1_##plugin_name(void) {       \
        static const theatre_plugin plugin = {                                                                 \
            .struct_size = sizeof(theatre_plugin),                                                             \
            .abi_major = THEATRE_ABI_MAJOR,                                                                    \
            .abi_revision = THEATRE_ABI_REVISION,                                                              \
            .min_host_revision = 0,                                                                            \
            .name = {(const uint8_t *)#plugin_name, sizeof(#plugin_name) - 1},                                 \
            .version = {(const uint8_t *)plugin_version, sizeof(plugin_version) - 1},                          \
            .manifest = {theatre_manifest, sizeof(theatre_manifest)},                                          \
            .contracts = {theatre_contracts, sizeof(theatre_contracts)},                                       \
            .create = theatre_create_##plugin_name,                                                            \
        };                                                                                                     \
        return &plugin;                                                                                        \
    }

#endif
