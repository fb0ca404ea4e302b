// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Breaches of what the host is told and asked, all while Verify is served.

#include <unistd.h>

#include "faulty.h"

/* No call has it. */
static const theatre_id nobody = 0x7E57;

static void complete(faulty *me, theatre_id call, theatre_code code, theatre_bytes payload, const theatre_error *error) {
    theatre_result result = {.struct_size = sizeof result, .code = code, .payload = payload, .error = error};
    me->host->complete(me->host->ctx, call, &result);
}

static void fail(faulty *me, theatre_id call, theatre_code code, const char *reason, const char *message,
                 theatre_bytes payload) {
    theatre_error error;
    fixture_fail(&error, code, reason, message);
    complete(me, call, code, payload, &error);
}

static void send(faulty *me, theatre_id call, uint32_t size, uint64_t sequence) {
    theatre_chunk chunk = {.struct_size = size, .seq = sequence, .data = fixture_text("part")};
    me->host->send(me->host->ctx, call, &chunk);
}

static void ask(faulty *me, theatre_request request) {
    theatre_id made;
    request.struct_size = sizeof request;
    me->host->request(me->host->ctx, &request, &made, 0);
}

static void log_line(faulty *me, uint32_t level, const char *fields) {
    me->host->log(me->host->ctx, level, fixture_text("a line"), fixture_text(fields));
}

/* How an answer may be wrong; 1 where the call was answered. */
static int answer(faulty *me, const theatre_request *request, theatre_code *code) {
    static const char why[] = "It is this fault.";
    theatre_id call = request->call;
    switch (me->fault) {
    case fault_completes_rejected:
        faulty_succeed(me, call, fixture_text("served"));
        *code = THEATRE_RESOURCE_EXHAUSTED;
        return 1;
    case fault_completes_twice:
        faulty_succeed(me, call, fixture_text("served"));
        faulty_succeed(me, call, fixture_text("again"));
        return 1;
    case fault_result_without_error: complete(me, call, THEATRE_INTERNAL, (theatre_bytes){0}, 0); return 1;
    case fault_error_with_payload:
        fail(me, call, THEATRE_INTERNAL, "faulty.payload", why, fixture_text("x"));
        return 1;
    case fault_code_unknown: fail(me, call, 42, "faulty.code", why, (theatre_bytes){0}); return 1;
    case fault_reason_malformed: fail(me, call, THEATRE_INTERNAL, "Not a reason", why, (theatre_bytes){0}); return 1;
    case fault_message_missing: fail(me, call, THEATRE_INTERNAL, "faulty.silent", "", (theatre_bytes){0}); return 1;
    case fault_secret_in_answer: faulty_succeed(me, call, faulty_secret(request->payload)); return 1;
    case fault_answers_by_generation:
        if (me->generation == 1) return 0;
        faulty_fail(me, call, THEATRE_FAILED_PRECONDITION, "faulty.forgotten", THEATRE_EFFECT_NONE);
        return 1;
    case fault_answers_by_name:
        if (!me->is_bystander) return 0;
        faulty_fail(me, call, THEATRE_FAILED_PRECONDITION, "faulty.bystander", THEATRE_EFFECT_NONE);
        return 1;
    default: return 0;
    }
}

int faulty_tell(faulty *me, const theatre_request *request, theatre_code *code) {
    theatre_id call = request->call, made;
    switch (me->fault) {
    case fault_unknown_completion: faulty_succeed(me, nobody, fixture_text("served")); break;
    case fault_chunk_short: send(me, call, 8, 0); break;
    case fault_chunk_order: send(me, call, sizeof(theatre_chunk), 3); break;
    case fault_unknown_stream: send(me, nobody, sizeof(theatre_chunk), 0); break;
    case fault_log_level: log_line(me, 9, ""); break;
    case fault_log_fields: log_line(me, THEATRE_LOG_DEBUG, "[1]"); break;
    case fault_unknown_clock: me->host->now(me->host->ctx, 7); break;
    case fault_output:
        if (write(STDOUT_FILENO, "x", 1) < 0) return 0;
        break;
    case fault_request_with_id: ask(me, (theatre_request){.on_behalf_of = call, .call = call}); break;
    case fault_request_garbage:
        ask(me, (theatre_request){.on_behalf_of = call, .payload = fixture_text("\xFF\xFF")});
        break;
    case fault_unknown_call: ask(me, (theatre_request){.on_behalf_of = call, .operation = 77}); break;
    case fault_unknown_parent: ask(me, (theatre_request){.on_behalf_of = nobody}); break;
    case fault_secret_sent: faulty_fetch(me, call, faulty_secret(request->payload), &made); break;
    default: break;
    }
    return answer(me, request, code);
}
