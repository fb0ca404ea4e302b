// TheatreOS
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

/* A file layer for SQLite that knows, for each file, what is on the disk for certain and what was only written: the
 * platform's own layer keeps everything that was written, however its process ends, so killing a process proves nothing
 * about a power cut. Any thread; one layer in a process. */

/* Which of the writes that were not synced a power cut leaves. */
enum power_cut_kind {
    POWER_CUT_NONE = 0,      /* none: all that was not synced is gone */
    POWER_CUT_PREFIX = 1,    /* those up to some point in time */
    POWER_CUT_SECTORS = 2,   /* any sectors of 512 bytes, in no order */
    POWER_CUT_ALL = 3        /* all */
};

/* What goes wrong with the next writes. */
enum power_cut_fault {
    POWER_CUT_SOUND = 0,
    POWER_CUT_DISK_FULL = 1,   /* writes fail with SQLITE_FULL */
    POWER_CUT_IO_ERROR = 2,    /* writes fail with SQLITE_IOERR_WRITE */
    POWER_CUT_NO_SYNC = 3      /* syncs fail with SQLITE_IOERR_FSYNC */
};

/* Makes the layer the default for databases opened from now on. SQLITE_OK, or SQLite's code. */
int power_cut_install(void);

/* Makes the platform's layer the default again; databases that are open keep this one. */
void power_cut_remove(void);

/* Writes to the folder `target` what the disk would hold of the folder `source`, had the power failed now.
 * The same seed leaves the same writes. 0, or the errno of what failed. */
int power_cut_snapshot(const char *source, const char *target, enum power_cut_kind kind, uint64_t seed);

/* Lets go of what is known of that folder's files, which nobody needs any more. */
void power_cut_forget(const char *folder);

/* From now on, for the files of that folder that are or were open. */
void power_cut_set_fault(const char *folder, enum power_cut_fault fault);

/* Syncs so far. */
uint64_t power_cut_syncs(void);
