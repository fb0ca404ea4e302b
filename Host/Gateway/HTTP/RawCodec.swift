// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest

/// Requests and answers of theatre.http.v1.Handler.
enum RawCodec {
    /// The request message for a matched request.
    static func request(_ exchange: Exchange, _ entry: RouteEntry, path: [RouteParameter], query: [RouteParameter])
        throws(CallError) -> [UInt8]
    {
        var out = WireBytes(capacity: 256 + exchange.head.uri.utf8.count + exchange.body.readableBytes)
        out.add(1, exchange.head.method.rawValue.utf8)
        out.add(2, exchange.path)
        out.add(3, entry.route.path.utf8)
        for parameter in path { out.add(4, pair: parameter.name.utf8, parameter.value.utf8) }
        for parameter in query { out.add(5, pair: parameter.name.utf8, parameter.value.utf8) }
        exchange.head.forEachField { name, value in
            guard let known = entry.rawHeaders.first(where: { name.isField(lowercase: $0) }) else { return }
            out.add(6, pair: known, value)
        }
        exchange.body.withUnsafeReadableBytes { out.add(7, $0) }
        out.add(8, exchange.query)
        return out.bytes
    }

    /// The answer in a response message. Refuses headers that would break the framing.
    static func answer(_ payload: UnsafeRawBufferPointer) throws -> Exchange.Answer {
        if let plain = PlainAnswer(payload) { return plain.answer }
        return try answer(HTTPResponse(serializedBytes: Array(payload)))
    }

    /// The answer that a response message stands for.
    static func answer(_ response: HTTPResponse) throws(CallError) -> Exchange.Answer {
        guard (200...599).contains(response.status) else {
            throw CallError(.internal, "gateway.status", "status \(response.status) is not one of 200 to 599")
        }
        var headers: [(String, String)] = []
        for pair in response.headers {
            let name = pair.name.lowercased()
            guard !refused.contains(name), isToken(name), isFieldValue(pair.value) else {
                throw CallError(.internal, "gateway.header", "the header \"\(name)\" may not be set by a plugin")
            }
            headers.append((name, pair.value))
        }
        guard isFieldValue(response.contentType) else {
            throw CallError(.internal, "gateway.header", "the content type is not one line of text")
        }
        return Exchange.Answer(
            status: HTTPResponseStatus(statusCode: Int(response.status)), contentType: response.contentType,
            body: ByteBuffer(bytes: response.body), headers: headers)
    }

    /// Takes the length that the head of a streamed answer states out of it.
    static func takeLength(_ head: inout HTTPResponse) throws(CallError) -> Int? {
        guard let index = head.headers.firstIndex(where: { $0.name.lowercased() == "content-length" }) else {
            return nil
        }
        guard let length = Int(head.headers.remove(at: index).value), length >= 0 else {
            throw CallError(.internal, "gateway.header", "content-length is not a number")
        }
        return length
    }

    private static let refused: Set<String> = [
        "connection", "content-length", "content-type", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "x-request-id",
    ]

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7A, 0x2D, 0x5F, 0x2E: true
                default: false
                }
            }
    }

    private static func isFieldValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }
}
