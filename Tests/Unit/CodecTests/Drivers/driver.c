// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// Decodes and encodes again what comes: which message, size, bytes. Answers with whether it is one, size, bytes.

#include <stdio.h>
#include <stdlib.h>

#include "messages.h"

int main(void) {
    const wire_type *types[] = {&Everything_type, &Maps_type};
    uint8_t which;
    uint32_t size;
    while (fread(&which, 1, 1, stdin) == 1 && fread(&size, 4, 1, stdin) == 1) {
        // No byte more: a sanitizer sees every read beyond the end.
        uint8_t *bytes = malloc(size ? size : 1);
        if (!bytes || fread(bytes, 1, size, stdin) != size) return 1;
        wire_arena arena = {0};
        wire_buffer buffer = {0};
        void *message = wire_allocate(&arena, types[which]->size);
        uint8_t is = wire_decode(types[which], (theatre_bytes){bytes, size}, message, &arena) &&
                     wire_encode(types[which], message, &buffer);
        uint32_t length = is ? (uint32_t)buffer.size : 0;
        fwrite(&is, 1, 1, stdout);
        fwrite(&length, 4, 1, stdout);
        if (length) fwrite(buffer.data, 1, length, stdout);
        wire_free(&arena);
        free(buffer.data);
        free(bytes);
    }
    return 0;
}
