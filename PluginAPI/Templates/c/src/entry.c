/* The one exported function, and the sections that the host reads from the file.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "theatre_plugin_entry.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#include "plugin.json.inc"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#include "contracts.binpb.inc"
};
THEATRE_PLUGIN({{name}}, "0.1.0")
