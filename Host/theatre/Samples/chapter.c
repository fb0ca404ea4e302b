// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "theatre_samples.h"

static const unsigned char chapter[] = {
#embed "chapter.md"
};

const unsigned char *theatre_sample_chapter(unsigned long *size) {
    *size = sizeof(chapter);
    return chapter;
}
