/* Between the interface in C and the plugin in Go.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SEAM_H
#define SEAM_H

#include "include/theatre_plugin.h"

/* One instance. `state` is the handle of what the operations work on. */
typedef struct live {
    theatre_instance table;
    const theatre_host *host;
    uintptr_t state;
} live;

/* Completes a call with an answer, or with an error where `code` is not THEATRE_OK. */
void seam_complete(live *live, theatre_id call, const uint8_t *payload, uint64_t payload_size, theatre_code code,
                   uint32_t effect, const uint8_t *reason, uint64_t reason_size, const uint8_t *message,
                   uint64_t message_size);

/* One log line at level debug. */
void seam_log(live *live, const uint8_t *message, uint64_t message_size, const uint8_t *fields, uint64_t fields_size);

/* Nanoseconds since 1970, by the host's clock. */
uint64_t seam_now(live *live);

#endif
