/* Threads of the host.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_THREAD_H
#define THEATRE_THREAD_H

/* Names the calling thread; longer names are cut to 15 bytes. */
void theatre_thread_set_name(const char *name);

#endif
