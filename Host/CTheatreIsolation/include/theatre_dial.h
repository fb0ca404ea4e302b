/* Connections that the host makes for an isolated instance.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_DIAL_H
#define THEATRE_DIAL_H

#include <stdint.h>

#define THEATRE_DIAL_NAME 256

/* Waits for the next wish: 1 with a name and a port, 0 where the instance is gone, -1 where the wish makes no sense. */
int theatre_dial_next(int socket, char name[THEATRE_DIAL_NAME], uint16_t *port);

/* Looks a name up and connects to the first of its addresses that answers: a descriptor, or -errno. Blocks, up to
 * `milliseconds` for each address. */
int theatre_dial_connect(const char *name, uint16_t port, int milliseconds);

/* Answers a wish with a descriptor, which is closed here, or with an errno. */
void theatre_dial_answer(int socket, int descriptor, int error);

#endif
