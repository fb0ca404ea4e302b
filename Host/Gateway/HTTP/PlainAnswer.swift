// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// Reads the common shape of theatre.http.v1.Response where it lies: status, content type and body, each at most once.
struct PlainAnswer {
    private(set) var answer = Exchange.Answer(status: .ok, contentType: "", body: ByteBuffer())

    /// nil for anything else, such as headers or bytes that are no message: the generated reader then decides.
    init?(_ payload: UnsafeRawBufferPointer) {
        var at = 0
        var seen: UInt8 = 0
        while at < payload.count {
            let tag = payload[at]
            at += 1
            guard let value = Self.varint(payload, &at) else { return nil }
            guard tag >> 3 < 8, seen & (1 << (tag >> 3)) == 0 else { return nil }
            seen |= 1 << (tag >> 3)
            if tag == 1 << 3 {
                guard (200...599).contains(value) else { return nil }
                answer.status = value == 200 ? .ok : HTTPResponseStatus(statusCode: Int(value))
                continue
            }
            guard tag == 3 << 3 | 2 || tag == 4 << 3 | 2, value <= UInt64(payload.count - at) else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: payload[at..<at + Int(value)])
            at += Int(value)
            if tag == 4 << 3 | 2 {
                answer.body = ByteBuffer(bytes: bytes)
            } else {
                guard let type = Self.text(bytes) else { return nil }
                answer.contentType = type
            }
        }
        guard seen & (1 << 1) != 0 else { return nil }
    }

    private static let json: StaticString = "application/json"

    /// Printable ASCII only.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        if bytes.elementsEqual(UnsafeBufferPointer(start: json.utf8Start, count: json.utf8CodeUnitCount)) {
            return "application/json"
        }
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func varint(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            guard at < bytes.count else { return nil }
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
