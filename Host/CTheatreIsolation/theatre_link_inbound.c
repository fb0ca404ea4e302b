// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "theatre_link_parts.h"

static theatre_bytes text(const char *text) { return (theatre_bytes){(const uint8_t *)text, strlen(text)}; }

/* Keeps an answer for the control function that waits for it. */
static const char *answer(theatre_link *link, const theatre_frame *frame, uint32_t awaited) {
    control *control = &link->control;
    pthread_mutex_lock(&control->lock);
    int is_awaited = control->awaited == awaited && !control->answered;
    if (is_awaited) {
        uint64_t used = 0;
        control->answer = *frame;
        for (uint32_t i = 0; i < THEATRE_FRAME_PARTS; i++) {
            theatre_bytes *part = &control->answer.parts[i];
            uint64_t room = sizeof control->text / THEATRE_FRAME_PARTS;
            if (part->size > room) part->size = room;
            if (part->size > 0) memcpy(control->text + used, part->data, part->size);
            part->data = control->text + used;
            used += part->size;
        }
        control->answered = 1;
        pthread_cond_broadcast(&control->changed);
    }
    pthread_mutex_unlock(&control->lock);
    return is_awaited ? NULL : "it answered what was not asked";
}

/* A call of the plugin's that came to nothing, told as its answer. */
static void refuse(theatre_link *link, theatre_id call, theatre_code code, const theatre_error *error) {
    theatre_frame frame = {.type = THEATRE_FRAME_RESULT,
                           .call = call,
                           .numbers = {(uint32_t)code, error->effect, error->retry, error->retry_after_ms,
                                       THEATRE_RESULT_ERROR},
                           .parts = {{NULL, 0}, error->reason, error->message, error->detail}};
    theatre_link_put(link, &frame);
}

static const char *request(theatre_link *link, const theatre_frame *frame) {
    theatre_id *id = theatre_calls_begin(&link->calls, frame->call);
    if (id == NULL) return "it began a call under an id that is in use or is none";
    if (frame->numbers[0] > UINT32_MAX || frame->numbers[3] > UINT32_MAX || frame->numbers[4] > UINT32_MAX)
        return "it began a call with a number out of range";
    theatre_error error = {.struct_size = sizeof error};
    if (theatre_outbox_is_filling(&link->out)) {
        theatre_calls_began(&link->calls, 0);
        error.retry = THEATRE_RETRY_SAFE;
        error.reason = text("call.not_read");
        error.message = text("Too many answers wait to be read; read them before asking for more.");
        refuse(link, frame->call, THEATRE_RESOURCE_EXHAUSTED, &error);
        return NULL;
    }
    theatre_request request = {.struct_size = sizeof request,
                               .operation = (uint32_t)frame->numbers[0],
                               .on_behalf_of = frame->numbers[1],
                               .payload = frame->parts[0],
                               .deadline_ns = frame->numbers[2],
                               .attempt = (uint32_t)frame->numbers[3],
                               .flags = (uint32_t)frame->numbers[4],
                               .idempotency_key = frame->parts[1],
                               .context = frame->parts[2],
                               .attributes = frame->parts[3]};
    theatre_code code = link->host->request(link->host->ctx, &request, id, &error);
    theatre_calls_began(&link->calls, code == THEATRE_OK);
    if (code != THEATRE_OK) refuse(link, frame->call, code, &error);
    return NULL;
}

static const char *answered(theatre_link *link, const theatre_frame *frame) {
    theatre_result result = {.struct_size = sizeof result, .payload = frame->parts[0]};
    link->host->complete(link->host->ctx, frame->call, &result);
    return NULL;
}

static const char *result(theatre_link *link, const theatre_frame *frame) {
    theatre_error error = {.struct_size = sizeof error,
                           .code = (theatre_code)(uint32_t)frame->numbers[0],
                           .effect = (uint32_t)frame->numbers[1],
                           .retry = (uint32_t)frame->numbers[2],
                           .retry_after_ms = frame->numbers[3],
                           .reason = frame->parts[1],
                           .message = frame->parts[2],
                           .detail = frame->parts[3]};
    theatre_result result = {.struct_size = sizeof result,
                             .code = error.code,
                             .payload = frame->parts[0],
                             .error = frame->numbers[4] & THEATRE_RESULT_ERROR ? &error : NULL};
    int malformed = (frame->numbers[4] & THEATRE_RESULT_MALFORMED) != 0;
    link->host->complete(link->host->ctx, frame->call, malformed ? NULL : &result);
    return NULL;
}

/* As the dispatcher tells it of an instance in its own process whose invoke returned another code than OK. */
static const char *reject(theatre_link *link, const theatre_frame *frame) {
    int32_t code = (int32_t)(uint32_t)frame->numbers[0];
    int is_known = code > THEATRE_OK && code <= THEATRE_UNAUTHENTICATED;
    char message[NAME_MOST + 100], number[40] = "";
    if (!is_known) snprintf(number, sizeof number, " (Its code was %d.)", code);
    snprintf(message, sizeof message, "Instance %s did not accept the call.%s", link->name, number);
    int passes = code == THEATRE_RESOURCE_EXHAUSTED || code == THEATRE_UNAVAILABLE;
    theatre_error error = {.struct_size = sizeof error,
                           .code = is_known ? code : THEATRE_UNKNOWN,
                           .retry = passes ? THEATRE_RETRY_SAFE : THEATRE_RETRY_NEVER,
                           .reason = text("plugin.rejected"),
                           .message = text(message)};
    theatre_result result = {.struct_size = sizeof result, .code = error.code, .error = &error};
    link->host->complete(link->host->ctx, frame->call, &result);
    return NULL;
}

/* The host's id of a call in a frame; 0 where it has ended. */
static theatre_id call_of(theatre_link *link, const theatre_frame *frame) {
    return frame->call & THEATRE_CALLER_SIDE ? theatre_calls_host(&link->calls, frame->call) : frame->call;
}

static const char *stream(theatre_link *link, const theatre_frame *frame) {
    theatre_id call = call_of(link, frame);
    if (call == 0) return NULL;
    const theatre_host *host = link->host;
    switch (frame->type) {
    case THEATRE_FRAME_CHUNK: {
        theatre_chunk chunk = {.struct_size = sizeof chunk,
                               .flags = (uint32_t)frame->numbers[1],
                               .seq = frame->numbers[0],
                               .data = frame->parts[0]};
        host->send(host->ctx, call, &chunk);
        break;
    }
    case THEATRE_FRAME_CREDIT: host->credit(host->ctx, call, frame->numbers[0]); break;
    default: host->cancel(host->ctx, call, (uint32_t)frame->numbers[0]); break;
    }
    return NULL;
}

void theatre_link_tell_dropped(theatre_link *link, uint64_t now) {
    if (link->log_dropped == 0 || now - link->log_told < 1000) return;
    char fields[64];
    snprintf(fields, sizeof fields, "{\"dropped\":\"%llu\"}", (unsigned long long)link->log_dropped);
    link->log_dropped = 0;
    link->log_told = now;
    link->host->log(link->host->ctx, THEATRE_LOG_WARNING,
                    text("log lines were dropped: the instance logs more than its process may"), text(fields));
}

/* A plugin that logs without end is not to drown the host's log, nor what else the host does. */
static void log_line(theatre_link *link, const theatre_frame *frame) {
    uint64_t now = theatre_link_now(), most = LOG_BURST * 1000u;
    if (link->log_at == 0) link->log_room = most;
    link->log_room += (now - link->log_at) * LOG_RATE;
    if (link->log_room > most) link->log_room = most;
    link->log_at = now;
    uint64_t cost = 1000u * (1 + (frame->parts[0].size + frame->parts[1].size) / 1024);
    if (link->log_room < cost) {
        if (link->log_dropped++ == 0) link->log_told = now;
        return;
    }
    link->log_room -= cost;
    uint32_t level = frame->numbers[0] > THEATRE_LOG_ERROR ? THEATRE_LOG_ERROR : (uint32_t)frame->numbers[0];
    link->host->log(link->host->ctx, level, frame->parts[0], frame->parts[1]);
}

const char *theatre_link_take(theatre_link *link, const theatre_frame *frame) {
    switch (frame->type) {
    case THEATRE_FRAME_READY:
    case THEATRE_FRAME_FAILED: return answer(link, frame, AWAITS_BEGIN);
    case THEATRE_FRAME_DONE:
        return frame->numbers[0] > THEATRE_STEP_DESTROY ? "it answered what is no step"
                                                         : answer(link, frame, (uint32_t)frame->numbers[0] + 1);
    case THEATRE_FRAME_PONG:
        if (frame->numbers[0] != link->pinged) return "it answered a ping that was not sent";
        link->ponged = frame->numbers[0];
        return NULL;
    default: break;
    }
    if (link->host == NULL) return "it began calls before it was told to create";
    switch (frame->type) {
    case THEATRE_FRAME_REQUEST: return request(link, frame);
    case THEATRE_FRAME_ANSWER: return answered(link, frame);
    case THEATRE_FRAME_RESULT: return result(link, frame);
    case THEATRE_FRAME_REJECT: return reject(link, frame);
    case THEATRE_FRAME_LOG: return log_line(link, frame), NULL;
    default: return stream(link, frame);
    }
}
