// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "pack.h"

static int is_norm(const rule *rule) { return (rule->kinds & PROSE) == 0 && (rule->kinds & DESIGN) != 0; }

static void put_kinds(buffer *out, uint32_t field, const rule *rule) {
    uint8_t kinds[3];
    size_t count = 0;
    for (uint8_t kind = 1; kind <= 3; kind++)
        if (rule->kinds & 1u << kind) kinds[count++] = kind;
    put_bytes(out, field, kinds, count);
}

static void put_patterns(buffer *out, uint32_t field, const rule *rule) {
    for (size_t i = 0; i < 3 && rule->patterns[i]; i++) put_text(out, field, rule->patterns[i]);
}

void describe(buffer *out) {
    put_text(out, 1, PACK_ID), put_text(out, 2, PACK_VERSION), put_text(out, 3, PACK_NAME), put_text(out, 4, PACK_SUMMARY);
    for (size_t i = 0; i < term_count; i++) {
        buffer term = {0};
        put_text(&term, 1, terms[i].term), put_text(&term, 2, terms[i].meaning), put_text(&term, 3, terms[i].category);
        put_message(out, 5, &term);
    }
    for (size_t i = 0; i < rule_count; i++) {
        const rule *rule = &rules[i];
        buffer message = {0};
        if (is_norm(rule)) {
            put_text(&message, 1, "visual"), put_text(&message, 3, rule->reason), put_text(&message, 5, rule->code);
            put_patterns(&message, 6, rule);
            put_text(&message, 7, rule->severity), put_text(&message, 8, rule->instead);
            put_message(out, 6, &message);
        } else {
            put_text(&message, 1, rule->code);
            put_patterns(&message, 2, rule);
            put_text(&message, 3, rule->severity), put_text(&message, 4, rule->reason), put_text(&message, 5, rule->instead);
            if (rule->kinds != EVERY) put_kinds(&message, 6, rule);
            put_message(out, 7, &message);
        }
    }
    for (size_t i = 0; i < stage_count; i++) {
        buffer stage = {0};
        put_text(&stage, 1, stages[i].id), put_text(&stage, 2, stages[i].name), put_text(&stage, 3, stages[i].text);
        put_text(&stage, 4, stages[i].detail), put_text(&stage, 5, stages[i].hour);
        put_message(out, 8, &stage);
    }
    put_text(out, 11, "en");
}

void validate(buffer *out, theatre_bytes text, unsigned kind) {
    for (place at = {0}; next_finding(text, kind, &at);) {
        buffer finding = {0};
        put_text(&finding, 1, at.rule->code), put_text(&finding, 2, at.rule->severity);
        put_bytes(&finding, 3, text.data + at.start, at.end - at.start);
        put_number(&finding, 4, at.first), put_number(&finding, 5, at.last);
        put_text(&finding, 6, at.rule->reason), put_text(&finding, 7, at.rule->instead);
        put_message(out, 1, &finding);
    }
    for (size_t i = 0; i < term_count; i++) {
        buffer entry = {0};
        uint32_t count = occurrences(text, terms[i].term);
        put_text(&entry, 1, terms[i].term), put_number(&entry, 2, count);
        if (count) put_message(out, 2, &entry);
        free(entry.data);
    }
    for (size_t i = 0; i < stage_count; i++)
        if (occurrences(text, stages[i].id)) put_text(out, 3, stages[i].id);
    put_text(out, 4, PACK_VERSION);
}

/* Adds a line while it fits: to the prompt, behind a line break, and to the list of what was added. */
static void add(buffer *prompt, buffer *added, size_t *left, buffer *line) {
    size_t size = (size_t)count_scalars((theatre_bytes){line->data, line->size}) + 1;
    if (!line->failed && size <= *left) {
        *left -= size;
        put_string(prompt, "\n"), put(prompt, line->data, line->size);
        put_bytes(added, 2, line->data, line->size);
    }
    free(line->data);
}

int enrich(buffer *out, const fields *request) {
    theatre_bytes text = request->texts[1];
    buffer prompt = {0}, added = {0};
    size_t left = request->numbers[3] ? request->numbers[3] : PACK_ADDED;
    int is_known = request->texts[2].size == 0;
    put(&prompt, text.data, text.size);
    for (size_t i = 0; i < stage_count; i++) {
        int is_chosen = is_text(request->texts[2], stages[i].id);
        is_known |= is_chosen;
        if (!is_chosen && (request->texts[2].size > 0 || !occurrences(text, stages[i].id))) continue;
        buffer line = {0};
        put_string(&line, stages[i].name), put_string(&line, ": "), put_string(&line, stages[i].text);
        add(&prompt, &added, &left, &line);
    }
    for (place at = {0}; next_finding(text, PROMPT, &at);) {
        buffer line = {0};
        put_string(&line, "Instead of \""), put(&line, text.data + at.start, at.end - at.start);
        put_string(&line, "\": "), put_string(&line, at.rule->instead);
        add(&prompt, &added, &left, &line);
    }
    out->failed |= prompt.failed || added.failed;
    put_bytes(out, 1, prompt.data, prompt.size), put(out, added.data, added.size);
    free(prompt.data), free(added.data);
    return is_known;
}
