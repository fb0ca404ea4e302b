/* The bare equivalent of a storage plugin: prepared statements of the C library.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SQLITE_BASELINE_H
#define SQLITE_BASELINE_H

/* Runs `sql`, whose parameter 2 is a random number below `rows` and whose parameter 1 is `tenant`, from `threads`
 * threads for `milliseconds`; each thread reads its two columns on a connection of its own. How often in a second;
 * negative where SQLite failed, by its code. */
double sqlite_baseline_reads(
    const char *path, const char *sql, const char *tenant, int threads, int rows, int milliseconds);

/* As above, on one connection that the threads take in turn, with one commit each. */
double sqlite_baseline_writes(
    const char *path, const char *sql, const char *tenant, int threads, int rows, int milliseconds);

#endif
