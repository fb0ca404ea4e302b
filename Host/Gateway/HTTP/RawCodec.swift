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
        let wanted = entry.route.headers.map { $0.lowercased() } + ["content-type"]
        let request = HTTPRequest.with {
            $0.method = exchange.head.method.rawValue
            $0.path = String(Substring(exchange.path))
            $0.rawQuery = String(Substring(exchange.query))
            $0.route = entry.route.path
            $0.pathParameters = path.map(pair)
            $0.query = query.map(pair)
            $0.headers = exchange.head.headers.compactMap { name, value in
                let name = name.lowercased()
                return wanted.contains(name) ? pair(RouteParameter(name: name, value: value)) : nil
            }
            $0.body = Data(exchange.body.readableBytesView)
        }
        do {
            return try request.serializedBytes()
        } catch {
            throw CallError(.internal, "gateway.request", "the request cannot be encoded: \(error)")
        }
    }

    private static func pair(_ parameter: RouteParameter) -> HTTPPair {
        HTTPPair.with {
            $0.name = parameter.name
            $0.value = parameter.value
        }
    }

    /// The answer in a response message. Refuses headers that would break the framing.
    static func answer(_ payload: UnsafeRawBufferPointer) throws -> Exchange.Answer {
        let response = try HTTPResponse(serializedBytes: Array(payload))
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
