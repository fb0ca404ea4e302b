// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "theatre_plugin.h"

// The layout is the interface: what stands here is checked by the compiler of every plugin and of the host.
_Static_assert(sizeof(void *) == 8, "64-bit only");
_Static_assert(sizeof(theatre_bytes) == 16, "theatre_bytes");
_Static_assert(sizeof(theatre_error) == 72, "theatre_error");
_Static_assert(sizeof(theatre_request) == 104, "theatre_request");
_Static_assert(sizeof(theatre_result) == 32, "theatre_result");
_Static_assert(sizeof(theatre_chunk) == 32, "theatre_chunk");
_Static_assert(sizeof(theatre_create) == 72, "theatre_create");
_Static_assert(sizeof(theatre_instance) == 88, "theatre_instance");
_Static_assert(sizeof(theatre_host) == 80, "theatre_host");
_Static_assert(sizeof(theatre_plugin) == 104, "theatre_plugin");
