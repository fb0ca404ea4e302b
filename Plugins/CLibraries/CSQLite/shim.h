#pragma once

#include <sqlite3.h>
#include <sys/prctl.h>

/* What Swift cannot call itself: functions with variable arguments, and the destructor constant that is a cast. */

/* Binds a copy of `size` bytes of UTF-8. */
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 size) {
    return sqlite3_bind_text64(statement, index, text, size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* Binds a copy of `size` bytes; an empty blob where `size` is 0. */
static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *data, sqlite3_uint64 size) {
    if (size == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, data, size, SQLITE_TRANSIENT);
}

/* Sets one of the SQLITE_DBCONFIG_* switches that take an int. */
static inline int csqlite_set(sqlite3 *database, int option, int on) {
    return sqlite3_db_config(database, option, on, (int *)0);
}

/* Names the calling thread, at most 15 bytes. */
static inline void csqlite_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
