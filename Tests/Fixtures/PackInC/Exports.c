// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "pack.h"

/* A member of a JSON object; no text of the pack has a quotation mark or a backslash. */
static void member(buffer *json, const char *before, const char *key, const char *text) {
    put_string(json, before), put_string(json, "\""), put_string(json, key), put_string(json, "\":\"");
    put_string(json, text), put_string(json, "\"");
}

static void list(buffer *json, const char *key, const char *const *texts, size_t count) {
    put_string(json, ",\""), put_string(json, key), put_string(json, "\":[");
    for (size_t i = 0; i < count && texts[i]; i++)
        put_string(json, i ? ",\"" : "\""), put_string(json, texts[i]), put_string(json, "\"");
    put_string(json, "]");
}

static void kinds(buffer *json, const rule *rule) {
    static const char *const names[] = {"", "TEXT_KIND_PROSE", "TEXT_KIND_PROMPT", "TEXT_KIND_DESIGN"};
    const char *found[3] = {0};
    size_t count = 0;
    for (unsigned kind = 1; kind <= 3; kind++)
        if (rule->kinds & 1u << kind) found[count++] = names[kind];
    list(json, "kinds", found, count);
}

static int is_norm(const rule *rule) { return (rule->kinds & PROSE) == 0 && (rule->kinds & DESIGN) != 0; }

static void put_rules(buffer *json, const char *key, int norms) {
    const char *before = "{";
    put_string(json, ",\""), put_string(json, key), put_string(json, "\":[");
    for (size_t i = 0; i < rule_count; i++) {
        const rule *rule = &rules[i];
        if (is_norm(rule) != norms) continue;
        member(json, before, "code", rule->code), member(json, ",", "severity", rule->severity);
        member(json, ",", norms ? "text" : "reason", rule->reason), member(json, ",", "instead", rule->instead);
        list(json, "patterns", rule->patterns, 3);
        if (norms) member(json, ",", "kind", "visual");
        else if (rule->kinds != EVERY) kinds(json, rule);
        put_string(json, "}");
        before = ",{";
    }
    put_string(json, "]");
}

static void put_stages(buffer *json) {
    put_string(json, ",\"stages\":[");
    for (size_t i = 0; i < stage_count; i++) {
        member(json, i ? ",{" : "{", "id", stages[i].id), member(json, ",", "name", stages[i].name);
        member(json, ",", "description", stages[i].text);
        list(json, "details", &stages[i].detail, 1), list(json, "hours", &stages[i].hour, 1);
        put_string(json, "}");
    }
    put_string(json, "]");
}

static void put_whole(buffer *json) {
    member(json, "{", "id", PACK_ID), member(json, ",", "version", PACK_VERSION);
    member(json, ",", "name", PACK_NAME), member(json, ",", "summary", PACK_SUMMARY);
    put_string(json, ",\"vocabulary\":[");
    for (size_t i = 0; i < term_count; i++) {
        member(json, i ? ",{" : "{", "term", terms[i].term), member(json, ",", "meaning", terms[i].meaning);
        member(json, ",", "category", terms[i].category), put_string(json, "}");
    }
    put_string(json, "]");
    put_rules(json, "norms", 1), put_rules(json, "taboos", 0), put_stages(json);
    put_string(json, ",\"languages\":[\"en\"]}");
}

/* Constraints: the one norm, and those taboos that are of a severity, or hold for a kind. */
static void put_constraints(buffer *json, const char *severity, unsigned kind) {
    const char *before = "\"";
    member(json, "{", "pack", PACK_ID), member(json, ",", "version", PACK_VERSION);
    put_string(json, ",\"constraints\":{\"visual_dont\":[\""), put_string(json, rules[rule_count - 1].reason);
    put_string(json, "\"],\"taboo\":[");
    for (size_t i = 0; i < rule_count; i++) {
        if (is_norm(&rules[i]) || (rules[i].kinds & kind) == 0) continue;
        if (severity && strcmp(severity, rules[i].severity) != 0) continue;
        put_string(json, before), put_string(json, rules[i].reason), put_string(json, " → ");
        put_string(json, rules[i].instead), put_string(json, "\"");
        before = ",\"";
    }
    put_string(json, "]}");
}

static void put_review(buffer *json) {
    static const char *const severities[] = {"violation", "warning", "suggestion"};
    const char *before = "{";
    put_constraints(json, NULL, EVERY), put_string(json, ",\"items\":[");
    for (size_t severity = 0; severity < 3; severity++) {
        for (size_t i = 0; i < rule_count; i++) {
            const rule *rule = &rules[i];
            if (strcmp(rule->severity, severities[severity]) != 0) continue;
            member(json, before, "code", rule->code), member(json, ",", "severity", rule->severity);
            member(json, ",", "group", is_norm(rule) ? "visual_dont" : "taboo"), kinds(json, rule);
            member(json, ",", "reason", rule->reason), list(json, "patterns", rule->patterns, 3);
            member(json, ",", "instead", rule->instead), put_string(json, "}");
            before = ",{";
        }
    }
    put_string(json, "]}");
}

int export_to(buffer *out, theatre_bytes target) {
    buffer document = {0};
    int is_markdown = is_text(target, "markdown"), is_known = 1;
    if (is_text(target, "json")) {
        put_whole(&document);
    } else if (is_markdown) {
        put_string(&document, "# " PACK_NAME "\n\n" PACK_SUMMARY "\n");
        for (size_t i = 0; i < rule_count; i++)
            put_string(&document, "- "), put_string(&document, rules[i].reason), put_string(&document, "\n");
    } else if (is_text(target, "02")) {
        put_constraints(&document, "violation", EVERY), put_stages(&document), put_string(&document, "}");
    } else if (is_text(target, "07")) {
        const char *before = ",\"avoid\":[\"";
        put_constraints(&document, NULL, PROMPT);
        for (size_t i = 0; i < rule_count; i++)
            for (size_t j = 0; j < 3 && rules[i].patterns[j] && rules[i].kinds & PROMPT; j++, before = ",\"")
                put_string(&document, before), put_string(&document, rules[i].patterns[j]), put_string(&document, "\"");
        put_string(&document, "]}");
    } else if (is_text(target, "10")) {
        put_review(&document);
    } else {
        is_known = 0;
    }
    put_text(out, 1, is_markdown ? "text/markdown; charset=utf-8" : "application/json");
    put_message(out, 2, &document);
    return is_known;
}
