/* Small C pieces that the host needs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_HOST_H
#define THEATRE_HOST_H
#include "theatre_plugin.h"
#endif
