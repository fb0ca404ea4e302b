/* Frames between the host and theatre-runner.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A frame is a header, then numbers, then the lengths of its parts, then the parts' bytes:
 *
 *   u32 size (of the whole frame) | u8 type | u8 numbers | u8 parts | u8 0 | u64 call
 *   u64 x numbers | u32 x parts | bytes of the parts, one after the other
 *
 * All little-endian, nothing aligned. How many numbers and parts a type has, and who may send it, is in one table
 * (theatre_frames.c); the parser refuses whatever deviates from it, without allocating. */
#ifndef THEATRE_FRAMES_H
#define THEATRE_FRAMES_H

#include "theatre_plugin.h"

#define THEATRE_FRAME_HEADER 16u
#define THEATRE_FRAME_NUMBERS 6u
#define THEATRE_FRAME_PARTS 5u

/* Who sent a frame. */
#define THEATRE_FROM_HOST 1u
#define THEATRE_FROM_RUNNER 2u

/* What a frame says: type, and for each its numbers and parts in order. `call` where it belongs to one. */
enum theatre_frame_type {
    /* Host to runner, first: data limit, threads, files, THEATRE_BEGIN_* | plugin, build id, folders. */
    THEATRE_FRAME_BEGIN = 1,
    /* Runner to host, the answer: THEATRE_GUARD_* enforced, THEATRE_GUARD_* not enforced | why not. */
    THEATRE_FRAME_READY = 2,
    /* Runner to host, the other answer: | code, expected, found, fix. */
    THEATRE_FRAME_FAILED = 3,
    /* Host to runner: generation, clock offset, bytes of a message | instance, configuration, environment, manifest,
     * THEATRE_CALL_* of each call, a byte each. */
    THEATRE_FRAME_CREATE = 4,
    /* Host to runner: THEATRE_STEP_*. */
    THEATRE_FRAME_CONTROL = 5,
    /* Runner to host, the answer to CREATE and CONTROL: step, code, effect, retry, retry after | reason, message,
     * detail. */
    THEATRE_FRAME_DONE = 6,
    /* Either way: operation, on behalf of, deadline, attempt, flags | payload, key, context, attributes. */
    THEATRE_FRAME_REQUEST = 7,
    /* Either way, of a call that ended otherwise than by ANSWER: code, effect, retry, retry after, THEATRE_RESULT_* |
     * payload, reason, message, detail. */
    THEATRE_FRAME_RESULT = 8,
    /* Either way: sequence, flags | data. */
    THEATRE_FRAME_CHUNK = 9,
    /* Either way: bytes. */
    THEATRE_FRAME_CREDIT = 10,
    /* Either way: reason. */
    THEATRE_FRAME_CANCEL = 11,
    /* Runner to host: code that invoke returned. */
    THEATRE_FRAME_REJECT = 12,
    /* Runner to host: level | message, fields. */
    THEATRE_FRAME_LOG = 13,
    /* Host to runner: offset of the host's clocks from the machine's. */
    THEATRE_FRAME_CLOCK = 14,
    /* Host to runner, and back: any number. */
    THEATRE_FRAME_PING = 15,
    THEATRE_FRAME_PONG = 16,
    /* Either way, of a call that ended well: | payload. */
    THEATRE_FRAME_ANSWER = 17,
};
#define THEATRE_FRAME_TYPES 18u

/* RESULT flags. */
#define THEATRE_RESULT_ERROR 1u     /* `error` was not null */
#define THEATRE_RESULT_MALFORMED 2u /* the plugin's result could not be read */

/* Steps of an instance's life; CREATE is answered with step 0. */
#define THEATRE_STEP_CREATE 0u
#define THEATRE_STEP_ACTIVATE 1u
#define THEATRE_STEP_SELF_TEST 2u
#define THEATRE_STEP_DEACTIVATE 3u
#define THEATRE_STEP_DESTROY 4u

/* BEGIN flags. */
#define THEATRE_BEGIN_STRICT 1u  /* fail where a guard cannot be enforced */
#define THEATRE_BEGIN_STACK 2u   /* write a stack to standard error at a crash */
#define THEATRE_BEGIN_CONNECT 4u /* descriptor 5 asks the host to dial */
#define THEATRE_BEGIN_SPACES 8u  /* it was started in namespaces of its own */

/* What guards the host from the plugin. */
#define THEATRE_GUARD_PRIVILEGES 1u   /* no new privileges, not dumpable, no core file, ends with the host */
#define THEATRE_GUARD_MEMORY 2u       /* RLIMIT_DATA */
#define THEATRE_GUARD_PROCESSES 4u    /* RLIMIT_NPROC */
#define THEATRE_GUARD_USER 8u         /* own user namespace, no capability outside */
#define THEATRE_GUARD_PIDS 16u        /* own process ids */
#define THEATRE_GUARD_NETWORK 32u     /* own network, without any interface */
#define THEATRE_GUARD_MOUNTS 64u      /* own view of files: what is granted and nothing else */
#define THEATRE_GUARD_LANDLOCK 128u   /* files by rule */
#define THEATRE_GUARD_SYSTEM_CALLS 256u /* allow-list */
#define THEATRE_GUARD_ALL 511u

/* One frame, its bytes borrowed from where it was parsed, or to be written. */
typedef struct theatre_frame {
    uint32_t type;
    uint64_t call;
    uint64_t numbers[THEATRE_FRAME_NUMBERS];
    theatre_bytes parts[THEATRE_FRAME_PARTS];
} theatre_frame;

/* Reads the frame at the start of `data`. Its size where it is whole and sound; 0 where more bytes are needed (then
 * *needed is how many bytes the frame has in all, or THEATRE_FRAME_HEADER); -1 where it is malformed, and *fault says
 * why, in static text. `from` is THEATRE_FROM_*; `limit` the most bytes a frame may have. */
int64_t theatre_frame_read(theatre_frame *frame, const uint8_t *data, uint64_t size, uint32_t from, uint64_t limit,
                           uint64_t *needed, const char **fault);

/* Bytes that theatre_frame_write makes of it. */
uint64_t theatre_frame_size(const theatre_frame *frame);

/* Writes the frame; `out` has room for theatre_frame_size(). Parts beyond the type's are left out. */
void theatre_frame_write(const theatre_frame *frame, uint8_t *out);

#endif
