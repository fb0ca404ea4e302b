// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Verify answers at once; Remove asks Egress first, and goes by what that says.

#include "faulty.h"

/* The place of a removal, found by either id; null where there is none. With the lock. */
static removal *find(faulty *me, theatre_id served, theatre_id made) {
    for (int i = 0; i < PLACES; i++) {
        removal *removal = &me->removals[i];
        if (removal->served && (served ? removal->served == served : made && removal->made == made)) return removal;
    }
    return 0;
}

/* Some call of the plugin's own is being made, whose id is not known yet. With the lock. */
static int is_asking(faulty *me) {
    for (int i = 0; i < PLACES; i++)
        if (me->removals[i].served && !me->removals[i].made) return 1;
    return 0;
}

static void finish(faulty *me, theatre_id served, theatre_code code, uint32_t effect) {
    if (code == THEATRE_OK || me->fault == fault_pretends) return faulty_succeed(me, served, (theatre_bytes){0});
    if (me->fault == fault_understates) effect = THEATRE_EFFECT_NONE;
    if (me->fault == fault_overstates) effect = THEATRE_EFFECT_APPLIED;
    faulty_fail(me, served, THEATRE_UNAVAILABLE, "faulty.not_removed", effect);
}

/* The host took the call, or did not. */
static void asked(faulty *me, theatre_id served, theatre_code code, theatre_id made) {
    pthread_mutex_lock(&me->lock);
    removal *removal = find(me, served, 0);
    int is_over = removal->is_over, is_done = code != THEATRE_OK;
    uint32_t effect = THEATRE_EFFECT_NONE;
    for (int i = 0; i < PLACES && !is_done; i++) {
        early_reply *reply = &me->early[i];
        if (reply->made != made) continue;
        is_done = 1;
        code = reply->code;
        effect = reply->effect;
        reply->made = 0;
    }
    if (is_done)
        *removal = (struct removal){0};
    else
        removal->made = made;
    pthread_mutex_unlock(&me->lock);
    if (is_done && !is_over) finish(me, served, code, effect);
}

static theatre_code serve_remove(faulty *me, const theatre_request *request) {
    if (me->fault == fault_overstates_unasked) {
        faulty_fail(me, request->call, THEATRE_INTERNAL, "faulty.unsure", THEATRE_EFFECT_APPLIED);
        return THEATRE_OK;
    }
    pthread_mutex_lock(&me->lock);
    removal *free_place = 0;
    for (int i = 0; i < PLACES && !free_place; i++)
        if (!me->removals[i].served) free_place = &me->removals[i];
    if (free_place) *free_place = (removal){.served = request->call};
    pthread_mutex_unlock(&me->lock);
    if (!free_place) {
        faulty_fail(me, request->call, THEATRE_RESOURCE_EXHAUSTED, "faulty.full", THEATRE_EFFECT_NONE);
        return THEATRE_OK;
    }
    theatre_id made = 0;
    theatre_code code = faulty_fetch(me, request->call, fixture_text("https://directory.invalid/"), &made);
    asked(me, request->call, code, made);
    return THEATRE_OK;
}

theatre_code faulty_invoke(void *self, const theatre_request *request) {
    faulty *me = self;
    theatre_code code = THEATRE_OK;
    if (!fixture_is_request(request, 2)) return fixture_refuse(self, request);
    if (request->operation == 1) return serve_remove(me, request);
    if (!faulty_tell(me, request, &code)) faulty_succeed(me, request->call, fixture_text("served"));
    return code;
}

theatre_code faulty_reply(void *self, theatre_id call, const theatre_result *result) {
    faulty *me = self;
    theatre_id served = 0;
    theatre_code found = THEATRE_NOT_FOUND;
    uint32_t effect = result->error ? result->error->effect : THEATRE_EFFECT_NONE;
    if (effect > THEATRE_EFFECT_APPLIED) effect = THEATRE_EFFECT_UNKNOWN;
    pthread_mutex_lock(&me->lock);
    removal *removal = find(me, 0, call);
    if (removal) {
        served = removal->is_over ? 0 : removal->served;
        *removal = (struct removal){0};
        found = THEATRE_OK;
    } else if (call && is_asking(me)) {
        for (int i = 0; i < PLACES && found != THEATRE_OK; i++) {
            if (me->early[i].made) continue;
            me->early[i] = (early_reply){call, result->code, effect};
            found = THEATRE_OK;
        }
    }
    pthread_mutex_unlock(&me->lock);
    if (served) finish(me, served, result->code, effect);
    return found;
}

void faulty_cancel(void *self, theatre_id call, uint32_t reason) {
    faulty *me = self;
    (void)reason;
    pthread_mutex_lock(&me->lock);
    removal *removal = call ? find(me, call, 0) : 0;
    int is_due = removal && !removal->is_over;
    if (is_due) removal->is_over = 1;
    pthread_mutex_unlock(&me->lock);
    if (is_due) faulty_fail(me, call, THEATRE_CANCELLED, "faulty.cancelled", THEATRE_EFFECT_UNKNOWN);
}
