/* What a processor is told besides C.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef THEATRE_PROCESSOR_H
#define THEATRE_PROCESSOR_H

/* THEATRE_PAUSE: somebody looks for a change again and again. THEATRE_PREFETCH_TO_WRITE: a line of memory is about to be
 * written; the builtin would have x86 fetch it to be read. */
#if defined(__x86_64__)
#define THEATRE_PAUSE() __builtin_ia32_pause()
#define THEATRE_PREFETCH_TO_WRITE(address) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(address)))
#elif defined(__aarch64__)
#define THEATRE_PAUSE() __asm__ volatile("yield")
#define THEATRE_PREFETCH_TO_WRITE(address) __builtin_prefetch((address), 1)
#endif

#endif
