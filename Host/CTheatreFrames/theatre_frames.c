// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#include "theatre_frames.h"

#include <string.h>

/* What frames of a type look like. */
typedef struct shape {
    uint8_t from, numbers, parts, has_call;
} shape;

#define HOST THEATRE_FROM_HOST
#define RUNNER THEATRE_FROM_RUNNER
#define BOTH (HOST | RUNNER)

static const shape shapes[THEATRE_FRAME_TYPES] = {
    [THEATRE_FRAME_BEGIN] = {HOST, 4, 3, 0},   [THEATRE_FRAME_READY] = {RUNNER, 2, 1, 0},
    [THEATRE_FRAME_FAILED] = {RUNNER, 0, 4, 0}, [THEATRE_FRAME_CREATE] = {HOST, 3, 5, 0},
    [THEATRE_FRAME_CONTROL] = {HOST, 1, 0, 0}, [THEATRE_FRAME_DONE] = {RUNNER, 5, 3, 0},
    [THEATRE_FRAME_REQUEST] = {BOTH, 5, 4, 1}, [THEATRE_FRAME_RESULT] = {BOTH, 5, 4, 1},
    [THEATRE_FRAME_CHUNK] = {BOTH, 2, 1, 1},   [THEATRE_FRAME_CREDIT] = {BOTH, 1, 0, 1},
    [THEATRE_FRAME_CANCEL] = {BOTH, 1, 0, 1},  [THEATRE_FRAME_REJECT] = {RUNNER, 1, 0, 1},
    [THEATRE_FRAME_LOG] = {RUNNER, 1, 2, 0},   [THEATRE_FRAME_CLOCK] = {HOST, 1, 0, 0},
    [THEATRE_FRAME_PING] = {HOST, 1, 0, 0},    [THEATRE_FRAME_PONG] = {RUNNER, 1, 0, 0},
    [THEATRE_FRAME_ANSWER] = {BOTH, 0, 1, 1},
};

static uint32_t load32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static uint64_t load64(const uint8_t *from) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static int64_t refuse(const char **fault, const char *why) {
    *fault = why;
    return -1;
}

int64_t theatre_frame_read(theatre_frame *frame, const uint8_t *data, uint64_t size, uint32_t from, uint64_t limit,
                           uint64_t *needed, const char **fault) {
    *needed = THEATRE_FRAME_HEADER;
    if (size < THEATRE_FRAME_HEADER) return 0;
    uint64_t whole = load32(data);
    if (whole > limit) return refuse(fault, "a frame is larger than it may be");
    uint32_t type = data[4];
    if (type >= THEATRE_FRAME_TYPES || shapes[type].from == 0) return refuse(fault, "a frame is of no known type");
    const shape *shape = &shapes[type];
    if ((shape->from & from) == 0) return refuse(fault, "a frame is of a type that only the other end sends");
    if (data[5] != shape->numbers || data[6] != shape->parts || data[7] != 0)
        return refuse(fault, "a frame has other members than its type");
    uint64_t call = load64(data + 8);
    if ((call != 0) != (shape->has_call != 0)) return refuse(fault, "a frame lacks its call, or has one too many");
    uint64_t head = THEATRE_FRAME_HEADER + 8u * shape->numbers + 4u * shape->parts;
    if (whole < head) return refuse(fault, "a frame is shorter than its members");
    *needed = whole;
    if (size < head) return 0;
    const uint8_t *lengths = data + THEATRE_FRAME_HEADER + 8u * shape->numbers;
    uint64_t sum = head;
    for (uint32_t i = 0; i < shape->parts; i++) sum += load32(lengths + 4u * i);
    if (sum != whole) return refuse(fault, "a frame's parts do not add up to its size");
    if (size < whole) return 0;
    frame->type = type;
    frame->call = call;
    uint32_t i = 0;
    for (; i < shape->numbers; i++) frame->numbers[i] = load64(data + THEATRE_FRAME_HEADER + 8u * i);
    for (; i < THEATRE_FRAME_NUMBERS; i++) frame->numbers[i] = 0;
    const uint8_t *bytes = data + head;
    for (i = 0; i < shape->parts; i++) {
        uint32_t length = load32(lengths + 4u * i);
        frame->parts[i] = (theatre_bytes){length ? bytes : NULL, length};
        bytes += length;
    }
    for (; i < THEATRE_FRAME_PARTS; i++) frame->parts[i] = (theatre_bytes){NULL, 0};
    return (int64_t)whole;
}

uint64_t theatre_frame_size(const theatre_frame *frame) {
    const shape *shape = &shapes[frame->type];
    uint64_t size = THEATRE_FRAME_HEADER + 8u * shape->numbers + 4u * shape->parts;
    for (uint32_t i = 0; i < shape->parts; i++) size += frame->parts[i].size;
    return size;
}

void theatre_frame_write(const theatre_frame *frame, uint8_t *out) {
    const shape *shape = &shapes[frame->type];
    uint32_t whole = (uint32_t)theatre_frame_size(frame);
    const uint8_t head[4] = {(uint8_t)frame->type, shape->numbers, shape->parts, 0};
    memcpy(out, &whole, 4);
    memcpy(out + 4, head, 4);
    memcpy(out + 8, &frame->call, 8);
    out += THEATRE_FRAME_HEADER;
    for (uint32_t i = 0; i < shape->numbers; i++, out += 8) memcpy(out, &frame->numbers[i], 8);
    for (uint32_t i = 0; i < shape->parts; i++, out += 4) {
        uint32_t length = (uint32_t)frame->parts[i].size;
        memcpy(out, &length, 4);
    }
    for (uint32_t i = 0; i < shape->parts; i++) {
        if (frame->parts[i].size > 0) memcpy(out, frame->parts[i].data, frame->parts[i].size);
        out += frame->parts[i].size;
    }
}
