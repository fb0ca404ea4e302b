# TheatreOS
# SPDX-License-Identifier: Apache-2.0
"""Rewrites a FileDescriptorSet so that of the source info only the comments of the own contracts are left.

A library carries its contracts' comments for the API description of the host. Places without a comment, and what
google/protobuf says of itself, are four fifths of the source info and of no use there.
"""
import sys

FILE, NAME, SOURCE_INFO, LOCATION, PATH, SPAN, LEADING_COMMENTS = 1, 1, 9, 1, 1, 2, 3


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Number, value and raw bytes of each field; the value of what has no length is None."""
    at = 0
    while at < len(data):
        start = at
        tag, at = varint(data, at)
        value = None
        if tag & 7 == 2:
            length, at = varint(data, at)
            value = data[at : at + length]
            at += length
        elif tag & 7 == 0:
            _, at = varint(data, at)
        else:
            at += {1: 8, 5: 4}[tag & 7]
        yield tag >> 3, value, data[start:at]


def encoded(number, value):
    result = bytearray([number << 3 | 2])
    length = len(value)
    while length > 0x7F:
        result.append(length & 0x7F | 0x80)
        length >>= 7
    result.append(length)
    return bytes(result) + value


def location(data):
    """The location with its path, place and comment, or nothing where it has no comment."""
    parts = [(number, raw) for number, _, raw in fields(data)]
    if not any(number == LEADING_COMMENTS for number, _ in parts):
        return b""
    return encoded(LOCATION, b"".join(raw for number, raw in parts if number in (PATH, SPAN, LEADING_COMMENTS)))


def file(data):
    is_own = not any(number == NAME and value.startswith(b"google/") for number, value, _ in fields(data))
    result = b""
    for number, value, raw in fields(data):
        if number != SOURCE_INFO:
            result += raw
        elif is_own:
            result += encoded(number, b"".join(location(v) for n, v, _ in fields(value) if n == LOCATION))
    return result


path = sys.argv[1]
with open(path, "rb") as stream:
    source = stream.read()
with open(path, "wb") as stream:
    stream.write(b"".join(encoded(FILE, file(value)) for number, value, _ in fields(source) if number == FILE))
