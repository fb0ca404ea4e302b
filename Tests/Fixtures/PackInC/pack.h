/* A culture pack: its rules, and what its files need of each other.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PACK_H
#define PACK_H

#include "../fixture.h"

#define PACK_ID "harbour"
#define PACK_VERSION "1.0.0"
#define PACK_NAME "A harbour of the bronze age"
#define PACK_SUMMARY "A harbour town about 1250 BC, where ships bring copper and tin."
/* Longest text that is judged, in Unicode scalars. */
#define PACK_LONGEST 200000
/* What is added to a prompt where the caller names no bound, in Unicode scalars. */
#define PACK_ADDED 1200

/* Kinds of text, by the contract's number: 1 << kind. */
enum { PROSE = 1 << 1, PROMPT = 1 << 2, DESIGN = 1 << 3, EVERY = PROSE | PROMPT | DESIGN };

/* What is looked for. A rule that does not hold for stories is a norm. */
typedef struct rule {
    const char *code, *severity, *reason, *instead;
    const char *patterns[3];
    unsigned kinds;
} rule;

typedef struct stage {
    const char *id, *name, *text, *detail, *hour;
} stage;

typedef struct term {
    const char *term, *meaning, *category;
} term;

extern const rule rules[];
extern const size_t rule_count;
extern const stage stages[];
extern const size_t stage_count;
extern const term terms[];
extern const size_t term_count;

/* Bytes that grow; free(data) at the end. What does not fit is left out, and `failed` is set. */
typedef struct buffer {
    uint8_t *data;
    size_t size, capacity;
    int failed;
} buffer;

void put(buffer *out, const void *bytes, size_t size);
void put_string(buffer *out, const char *text);
void put_number(buffer *out, uint32_t field, uint64_t value);
void put_bytes(buffer *out, uint32_t field, const void *bytes, size_t size);
void put_text(buffer *out, uint32_t field, const char *text);
/* Puts a message and empties it. */
void put_message(buffer *out, uint32_t field, buffer *message);

/* The first three fields of a request: texts by number, and numbers. */
typedef struct fields {
    theatre_bytes texts[4];
    uint64_t numbers[4];
} fields;

int read_fields(theatre_bytes message, fields *fields);

/* How many scalars are in well-formed UTF-8; -1 for what is none. */
long count_scalars(theatre_bytes text);

/* Where something was found: bytes from `start` to `end`, which is the scalar `first` and those up to `last`. */
typedef struct place {
    size_t start, end;
    uint32_t first, last;
    const rule *rule;
} place;

/* The next place after `*from` where a rule for the kind is broken; *from starts zeroed. */
int next_finding(theatre_bytes text, unsigned kind, place *from);
/* How often a word stands in a text. */
uint32_t occurrences(theatre_bytes text, const char *word);
int is_text(theatre_bytes text, const char *other);

/* The answers. They return 0 where the target, or the like, is not known. */
void describe(buffer *out);
void validate(buffer *out, theatre_bytes text, unsigned kind);
int enrich(buffer *out, const fields *request);
int export_to(buffer *out, theatre_bytes target);

#endif
