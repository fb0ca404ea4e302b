// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Brittle, "1.0.0")

theatre_code theatre_create_Brittle(const theatre_host *host, const theatre_create *create, theatre_instance **instance,
                                    theatre_error *error) {
    const char *text = (const char *)create->configuration.data;
    if (memmem(text, create->configuration.size, "\"depth\":9", 9)) abort();
    return fixture_make(host, instance, error, fixture_is_well, fixture_serves);
}
