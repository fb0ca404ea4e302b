// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "pack.h"

static uint8_t small(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte; }

static int is_letter(uint8_t byte) { return (small(byte) >= 'a' && small(byte) <= 'z') || (byte >= '0' && byte <= '9'); }

/* Length of a word where it stands in a text by itself, or 0. */
static size_t stands(theatre_bytes text, size_t at, const char *word) {
    size_t size = strlen(word);
    if (text.size - at < size) return 0;
    for (size_t i = 0; i < size; i++)
        if (small(text.data[at + i]) != (uint8_t)word[i]) return 0;
    if (at > 0 && is_letter(text.data[at]) && is_letter(text.data[at - 1])) return 0;
    size_t end = at + size;
    return end < text.size && is_letter(text.data[end - 1]) && is_letter(text.data[end]) ? 0 : size;
}

static int starts_scalar(uint8_t byte) { return (byte & 0xC0) != 0x80; }

int next_finding(theatre_bytes text, unsigned kind, place *from) {
    size_t at = from->end;
    uint32_t count = from->last;
    for (; at < text.size; at++) {
        if (!starts_scalar(text.data[at])) continue;
        size_t longest = 0;
        for (size_t i = 0; i < rule_count; i++) {
            for (size_t j = 0; j < 3 && rules[i].patterns[j] && rules[i].kinds & kind; j++) {
                size_t size = stands(text, at, rules[i].patterns[j]);
                if (size > longest) longest = size, from->rule = &rules[i];
            }
        }
        if (longest) {
            from->start = at;
            from->end = at + longest;
            from->first = count;
            for (size_t i = at; i < from->end; i++) count += starts_scalar(text.data[i]) != 0;
            from->last = count;
            return 1;
        }
        count++;
    }
    return 0;
}

uint32_t occurrences(theatre_bytes text, const char *word) {
    uint32_t count = 0;
    for (size_t at = 0; at < text.size;) {
        size_t size = stands(text, at, word);
        count += size > 0;
        at += size > 0 ? size : 1;
    }
    return count;
}

int is_text(theatre_bytes text, const char *other) {
    return text.size == strlen(other) && (text.size == 0 || memcmp(text.data, other, text.size) == 0);
}
