// TheatreOS
// SPDX-License-Identifier: Apache-2.0
#pragma once

/* Loaded before the C library (LD_PRELOAD), so that writes to databases or blobs fail while a file says so. The
 * environment variable THEATRE_TEST_FILE_FAULTS names that file. It holds one word: `full` (ENOSPC), `io` (EIO),
 * `read_only` (EROFS), or none. It concerns files whose names end in .db or .db-wal; with `blobs_` before it, those in a
 * folder `incoming`. */
