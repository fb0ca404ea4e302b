// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Its table needs a newer host than its manifest.

#include "../lies.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
LIES_ENTRY(LiesOfRevision, .min_host_revision = 99)
