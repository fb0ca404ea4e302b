// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "theatre_thread.h"

#include <pthread.h>
#include <string.h>

void theatre_thread_set_name(const char *name) {
    char text[16] = {0};
    strncpy(text, name, sizeof(text) - 1);
    pthread_setname_np(pthread_self(), text);
}
