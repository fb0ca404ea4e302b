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
THEATRE_PLUGIN(Tattles, "1.0.0")

static theatre_code repeat(void *self, const theatre_request *request) {
    fixture *me = self;
    if (!fixture_is_request(request, 2)) return fixture_refuse(self, request);
    theatre_bytes text = request->payload;
    const uint8_t *canary = text.data ? memmem(text.data, text.size, "CANARY", 6) : 0;
    theatre_bytes shown = fixture_text("none");
    if (canary) {
        shown = (theatre_bytes){canary, 0};
        while (canary + shown.size < text.data + text.size && canary[shown.size] >= 0x20) shown.size += 1;
    }
    me->host->log(me->host->ctx, THEATRE_LOG_DEBUG, shown, (theatre_bytes){0});
    theatre_error error;
    fixture_fail(&error, THEATRE_UNAUTHENTICATED, "auth.refused", "");
    error.message = shown;
    theatre_result result = {.struct_size = sizeof result, .code = error.code, .error = &error};
    me->host->complete(me->host->ctx, request->call, &result);
    return THEATRE_OK;
}

FIXTURE_CREATE(Tattles, fixture_is_well, repeat)
