// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Leases its secret for every call and answers with it, so that a test sees which value serves. One call at a time.

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(NeedsSecret, "1.0.0")

static theatre_id waiting;

static theatre_code lease(void *self, const theatre_request *request) {
    fixture *me = self;
    if (!fixture_is_request(request, 1)) return fixture_refuse(self, request);
    static const uint8_t name[] = {0x0A, 5, 't', 'o', 'k', 'e', 'n'};
    theatre_request ask = {.struct_size = sizeof ask, .on_behalf_of = request->call, .payload = {name, sizeof name}};
    theatre_error error = {.struct_size = sizeof error};
    theatre_id asked;
    waiting = request->call;
    if (me->host->request(me->host->ctx, &ask, &asked, &error) != THEATRE_OK) fixture_answer(self, waiting, "refused");
    return THEATRE_OK;
}

static theatre_code leased(void *self, theatre_id call, const theatre_result *result) {
    (void)call;
    char text[100] = "refused";
    uint64_t size = result->payload.size;
    if (result->code == THEATRE_OK && size >= 2 && size < sizeof text) {
        memcpy(text, result->payload.data + 2, size - 2);
        text[size - 2] = 0;
    }
    fixture_answer(self, waiting, text);
    return THEATRE_OK;
}

theatre_code theatre_create_NeedsSecret(const theatre_host *host, const theatre_create *create,
                                        theatre_instance **instance, theatre_error *error) {
    (void)create;
    theatre_code code = fixture_make(host, instance, error, fixture_is_well, lease);
    if (code == THEATRE_OK) (*instance)->reply = leased;
    return code;
}
