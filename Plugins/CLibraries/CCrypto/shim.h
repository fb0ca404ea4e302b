#pragma once

#include <fcntl.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* A running SHA-256, or NULL. */
static inline EVP_MD_CTX *ccrypto_sha256_begin(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL) return NULL;
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

/* 1 where the 32 bytes of the digest were written. Frees the context. */
static inline int ccrypto_sha256_end(EVP_MD_CTX *context, unsigned char *digest) {
    unsigned int size = 0;
    int done = EVP_DigestFinal_ex(context, digest, &size);
    EVP_MD_CTX_free(context);
    return done == 1 && size == 32;
}

/* What Swift cannot call itself: open has variable arguments. */
static inline int ccrypto_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }

/* Names the calling thread, at most 15 bytes. */
static inline void ccrypto_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
