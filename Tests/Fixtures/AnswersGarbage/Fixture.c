// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Answers bytes that are no message, or a result that is no result.

#define _GNU_SOURCE
#include "../fixture.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(AnswersGarbage, "1.0.0")

static int is_for(const theatre_request *request, const char *word) {
    return memmem(request->payload.data, request->payload.size, word, strlen(word)) != 0;
}

static theatre_code garble(void *self, const theatre_request *request) {
    fixture *me = self;
    static const uint8_t noise[] = {0xFF, 0xFE, 0x07, 0x99, 0x99};
    theatre_result result = {.struct_size = sizeof result, .payload = {noise, sizeof noise}};
    if (is_for(request, "answers-malformed")) result = (theatre_result){.struct_size = 4, .code = THEATRE_INTERNAL};
    me->host->complete(me->host->ctx, request->call, &result);
    return THEATRE_OK;
}

FIXTURE_CREATE(AnswersGarbage, fixture_is_well, garble)
