// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(Understates, "1.0.0")

/* The one call under way. */
static theatre_id open_call;

static theatre_code send_on(void *self, const theatre_request *request) {
    fixture *me = self;
    if (!fixture_is_request(request, 1)) return fixture_refuse(self, request);
    theatre_request fetch = {.struct_size = sizeof fetch, .on_behalf_of = request->call};
    theatre_id call;
    open_call = request->call;
    if (me->host->request(me->host->ctx, &fetch, &call, 0) == THEATRE_OK) return THEATRE_OK;
    return fixture_refuse(self, request);
}

static theatre_code sent(void *self, theatre_id call, const theatre_result *result) {
    (void)call;
    fixture *me = self;
    theatre_error error;
    theatre_result answer = {.struct_size = sizeof answer};
    if (result->code != THEATRE_OK) {
        answer.code = fixture_fail(&error, THEATRE_UNAVAILABLE, "fixture.not_sent", "It was not sent.");
        answer.error = &error;
    }
    me->host->complete(me->host->ctx, open_call, &answer);
    return THEATRE_OK;
}

theatre_code theatre_create_Understates(const theatre_host *host, const theatre_create *create,
                                        theatre_instance **instance, theatre_error *error) {
    (void)create;
    theatre_code code = fixture_make(host, instance, error, fixture_is_well, send_on);
    if (code == THEATRE_OK) (*instance)->reply = sent;
    return code;
}
