/* The sandbox.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_H
#define GUARD_H

#include "theatre_frames.h"

#define GUARD_FOLDERS_MOST 64u

/* Something the plugin may touch. */
typedef struct guard_folder {
    char path[1024];
    int writable;
} guard_folder;

/* What the host asks for. */
typedef struct guard_wish {
    uint64_t memory, processes, files; /* 0: no bound */
    uint32_t flags;                    /* THEATRE_BEGIN_* */
    guard_folder folders[GUARD_FOLDERS_MOST];
    uint32_t folder_count;
} guard_wish;

/* What came of it: THEATRE_GUARD_*, and for each that is missing a clause. */
typedef struct guard_report {
    uint32_t enforced, missing;
    char why[1500];
} guard_report;

void guard_read_wish(guard_wish *wish, const theatre_frame *begin);
/* Before the library is loaded: what can be given up at once. */
void guard_first(void);
/* After it was loaded and before it runs: everything else, for good. */
void guard_close(const guard_wish *wish, guard_report *report);

/* Notes that a guard stands, or with an errno that it does not. */
void guard_note(guard_report *report, uint32_t guard, const char *name, int error);

/* Each 0 or an errno. */
int guard_mounts(const guard_wish *wish);
int guard_landlock(const guard_wish *wish, int has_own_view);
int guard_system_calls(int may_connect);
int guard_capabilities(void);

#endif
