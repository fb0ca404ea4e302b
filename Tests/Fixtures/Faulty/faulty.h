/* A plugin that keeps every rule but the one that its configuration tells it to break.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FAULTY_H
#define FAULTY_H

#include <pthread.h>
#include <stdatomic.h>

#include "../fixture.h"

/* Each breaks one rule. */
#define FAULTS(X)                                                                                              \
    X(none)                                                                                                    \
    /* in its life */                                                                                          \
    X(create_leaves) X(create_null) X(instance_table) X(control_error) X(second_generation_refused)            \
    X(works_on_after_deactivate) X(deactivate_hangs) X(descriptor_left)                                        \
    /* in what it tells the host */                                                                            \
    X(completes_rejected) X(completes_twice) X(unknown_completion) X(result_without_error)                     \
    X(error_with_payload) X(code_unknown) X(reason_malformed) X(message_missing) X(chunk_short)                \
    X(chunk_order) X(unknown_stream) X(log_level) X(log_fields) X(unknown_clock) X(output)                     \
    /* in what it asks of the host */                                                                          \
    X(request_with_id) X(request_garbage) X(unknown_call) X(unknown_parent)                                    \
    /* in what its answers say of the world, or give away */                                                   \
    X(understates) X(overstates) X(overstates_unasked) X(pretends) X(secret_in_answer) X(secret_sent)          \
    /* in what it owes to other processes and instances */                                                     \
    X(answers_by_generation) X(answers_by_name) X(survives_signals)

#define FAULT_NAME(name) fault_##name,
typedef enum fault { FAULTS(FAULT_NAME) fault_count } fault;
#undef FAULT_NAME

/* A call of Remove: `served` is 0 in a free place; `made` is 0 until the host has said which call it is. */
typedef struct removal {
    theatre_id served;
    theatre_id made;
    /* Completed by `cancel`; the place is kept until the reply. */
    int is_over;
} removal;

/* A reply that came before the host had said which call it is for. */
typedef struct early_reply {
    theatre_id made;
    theatre_code code;
    uint32_t effect;
} early_reply;

#define PLACES 256

/* What `self` refers to; begins as a fixture does. */
typedef struct faulty {
    theatre_instance table;
    const theatre_host *host;
    fault fault;
    uint32_t generation;
    int is_bystander;
    pthread_mutex_t lock;
    removal removals[PLACES];
    early_reply early[PLACES];
    pthread_t worker;
    int has_worker;
    atomic_int is_ending;
} faulty;

/* Life.c */
void faulty_fill(faulty *me);

/* Telling.c: breaks a rule of what the host is told or asked while a call is served; 1 where it was answered too, with
 * *code for `invoke` to return. */
int faulty_tell(faulty *me, const theatre_request *request, theatre_code *code);

/* Serving.c */
theatre_code faulty_invoke(void *self, const theatre_request *request);
theatre_code faulty_reply(void *self, theatre_id call, const theatre_result *result);
void faulty_cancel(void *self, theatre_id call, uint32_t reason);

/* Answering.c */
void faulty_succeed(faulty *me, theatre_id call, theatre_bytes subject);
void faulty_fail(faulty *me, theatre_id call, theatre_code code, const char *reason, uint32_t effect);
/* The text of field 2 of a message, which is the secret of a VerifyRequest. */
theatre_bytes faulty_secret(theatre_bytes message);
/* Calls Egress/Fetch with that url. */
theatre_code faulty_fetch(faulty *me, theatre_id on_behalf_of, theatre_bytes url, theatre_id *made);

#endif
