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

/* Binds `size` bytes of UTF-8 where they lie; they stay there until something else is bound. */
static inline int csqlite_lend_text(sqlite3_stmt *statement, int index, const void *text, sqlite3_uint64 size) {
    return sqlite3_bind_text64(statement, index, size == 0 ? "" : (const char *)text, size, SQLITE_STATIC, SQLITE_UTF8);
}

/* As csqlite_lend_text for any bytes. */
static inline int csqlite_lend_blob(sqlite3_stmt *statement, int index, const void *data, sqlite3_uint64 size) {
    if (size == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, data, size, SQLITE_STATIC);
}

/* Sets one of the SQLITE_DBCONFIG_* switches that take an int. */
static inline int csqlite_set(sqlite3 *database, int option, int on) {
    return sqlite3_db_config(database, option, on, (int *)0);
}

/* Has SQLite keep the files of large sorts in `folder`: that of the first database of the process. SQLite looks elsewhere
 * where it cannot be written. */
static inline void csqlite_sort_in(const char *folder) {
    if (sqlite3_initialize() != SQLITE_OK) return;
    sqlite3_mutex *lock = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS1); /* what SQLite reads it under */
    sqlite3_mutex_enter(lock);
    if (!sqlite3_temp_directory) sqlite3_temp_directory = sqlite3_mprintf("%s", folder);
    sqlite3_mutex_leave(lock);
}

/* Names the calling thread, at most 15 bytes. */
static inline void csqlite_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

/* SHA-256 (FIPS 180-4) of bytes that come in pieces. */
typedef struct csqlite_sha256 {
    unsigned int words[8];
    unsigned long long length;
    unsigned char block[64];
} csqlite_sha256;

static inline void csqlite_sha256_begin(csqlite_sha256 *hash) {
    static const unsigned int start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (int i = 0; i < 8; i++) hash->words[i] = start[i];
    hash->length = 0;
}

static inline unsigned int csqlite_rotate(unsigned int word, int bits) {
    return word >> bits | word << (32 - bits);
}

static inline void csqlite_sha256_block(csqlite_sha256 *hash, const unsigned char *block) {
    static const unsigned int k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    unsigned int w[64], s[8];
    for (int i = 0; i < 16; i++) {
        w[i] = (unsigned int)block[4 * i] << 24 | (unsigned int)block[4 * i + 1] << 16
               | (unsigned int)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < 64; i++) {
        unsigned int a = csqlite_rotate(w[i - 15], 7) ^ csqlite_rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        unsigned int b = csqlite_rotate(w[i - 2], 17) ^ csqlite_rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    for (int i = 0; i < 8; i++) s[i] = hash->words[i];
    for (int i = 0; i < 64; i++) {
        unsigned int a = csqlite_rotate(s[4], 6) ^ csqlite_rotate(s[4], 11) ^ csqlite_rotate(s[4], 25);
        unsigned int first = s[7] + a + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        unsigned int b = csqlite_rotate(s[0], 2) ^ csqlite_rotate(s[0], 13) ^ csqlite_rotate(s[0], 22);
        unsigned int second = b + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + first;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = first + second;
    }
    for (int i = 0; i < 8; i++) hash->words[i] += s[i];
}

static inline void csqlite_sha256_add(csqlite_sha256 *hash, const unsigned char *bytes, unsigned long size) {
    for (unsigned long i = 0; i < size;) {
        unsigned int filled = (unsigned int)(hash->length & 63);
        if (filled == 0 && size - i >= 64) {
            csqlite_sha256_block(hash, bytes + i);
            i += 64, hash->length += 64;
            continue;
        }
        hash->block[filled] = bytes[i++];
        if ((++hash->length & 63) == 0) csqlite_sha256_block(hash, hash->block);
    }
}

/* Writes the digest, 32 bytes. */
static inline void csqlite_sha256_end(csqlite_sha256 *hash, unsigned char *digest) {
    unsigned long long bits = hash->length * 8;
    unsigned char end = 0x80, zero = 0, size[8];
    csqlite_sha256_add(hash, &end, 1);
    while ((hash->length & 63) != 56) csqlite_sha256_add(hash, &zero, 1);
    for (int i = 0; i < 8; i++) size[i] = (unsigned char)(bits >> (56 - 8 * i));
    csqlite_sha256_add(hash, size, 8);
    for (int i = 0; i < 32; i++) digest[i] = (unsigned char)(hash->words[i / 4] >> (24 - 8 * (i % 4)));
}
