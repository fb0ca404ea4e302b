// TheatreOS
// SPDX-License-Identifier: Apache-2.0

// A culture pack without the SDK: the four operations of theatre.culture.v1.Pack, answered where they come in.
#include "pack.h"

THEATRE_EMBED(theatre_manifest, THEATRE_MANIFEST_SECTION) = {
#embed "plugin.json"
};
THEATRE_EMBED(theatre_contracts, THEATRE_CONTRACTS_SECTION) = {
#embed "contracts.binpb"
};
THEATRE_PLUGIN(PackInC, "1.0.0")

enum { DESCRIBE, VALIDATE, ENRICH, EXPORT, OPERATIONS };

/* Completes a call with an error that nothing was done for. */
static void refuse(fixture *me, theatre_id call, theatre_code code, const char *reason, const char *message) {
    theatre_error error;
    fixture_fail(&error, code, reason, message);
    theatre_result result = {.struct_size = sizeof result, .code = code, .error = &error};
    me->host->complete(me->host->ctx, call, &result);
}

static const char *answer(uint32_t operation, const fields *request, buffer *out) {
    theatre_bytes text = request->texts[1];
    if (operation == DESCRIBE) {
        if (text.size > 0 && !is_text(text, "en")) return "culture.language_unknown";
        describe(out);
        return NULL;
    }
    if (operation == EXPORT) {
        if (request->texts[2].size > 0 && !is_text(request->texts[2], "en")) return "culture.language_unknown";
        return export_to(out, text) ? NULL : "culture.target_unknown";
    }
    if (count_scalars(text) > PACK_LONGEST) return "culture.too_long";
    if (operation == ENRICH) return enrich(out, request) ? NULL : "culture.stage_unknown";
    uint64_t kind = request->numbers[2];
    validate(out, text, kind == 2 ? PROMPT : kind == 3 ? DESIGN : PROSE);
    return NULL;
}

static theatre_code serve(void *self, const theatre_request *request) {
    fixture *me = self;
    fields fields = {0};
    if (!fixture_is_request(request, OPERATIONS) || !read_fields(request->payload, &fields))
        return fixture_is_request(request, OPERATIONS)
                   ? (refuse(me, request->call, THEATRE_INVALID_ARGUMENT, "fixture.refused", "A text is not UTF-8."),
                      THEATRE_OK)
                   : fixture_refuse(self, request);
    buffer out = {0};
    const char *reason = answer(request->operation, &fields, &out);
    if (reason) {
        refuse(me, request->call, THEATRE_INVALID_ARGUMENT, reason, "The pack does not know what was asked for.");
    } else if (out.failed) {
        refuse(me, request->call, THEATRE_RESOURCE_EXHAUSTED, "fixture.memory", "There is no memory left.");
    } else {
        theatre_result result = {.struct_size = sizeof result, .payload = {out.data, out.size}};
        me->host->complete(me->host->ctx, request->call, &result);
    }
    free(out.data);
    return THEATRE_OK;
}

FIXTURE_CREATE(PackInC, fixture_is_well, serve)
