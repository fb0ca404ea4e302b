// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "BaghdadEntry.h"

static const uint8_t pack[] = {
#embed "../pack.json"
};

const uint8_t *theatre_pack_Baghdad(uint64_t *size) {
    *size = sizeof pack;
    return pack;
}
