// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Answers a call only when it is told that the deadline has passed.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(CompletesLate, "1.0.0")

static theatre_code wait(void *self, const theatre_request *request) {
    (void)self, (void)request;
    return THEATRE_OK;
}

static void answer_late(void *self, theatre_id call, uint32_t reason) {
    if (reason == THEATRE_CANCEL_DEADLINE) fixture_answer(self, call, "late");
}

theatre_code theatre_create_CompletesLate(const theatre_host *host, const theatre_create *create,
                                          theatre_instance **instance, theatre_error *error) {
    (void)create;
    theatre_code code = fixture_make(host, instance, error, fixture_is_well, wait);
    if (code == THEATRE_OK) (*instance)->cancel = answer_late;
    return code;
}
