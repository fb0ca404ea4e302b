/* Connections that the host makes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECT_H
#define CONNECT_H

/* From now on connect() and getaddrinfo() of whatever is loaded ask the host, on descriptor RUNNER_DIAL. */
void connect_through_host(void);

#endif
