// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// Stands between the encoder and the handlers above it: a whole HTTP/1.1 answer is written as one piece of bytes past
/// the encoder, instead of as head, body and end. Used on the loop only.
final class WholeResponses: ChannelOutboundHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What comes down in place of the head of a whole answer.
    static let placeholder = HTTPResponseHead(version: .http1_1, status: .ok)
    /// Bodies above this are not copied.
    private static let copied = 16 * 1024

    private let reader: RequestReader
    private var bytes: ByteBuffer?

    init(_ reader: RequestReader) { self.reader = reader }

    /// Makes the bytes that go out in place of the next head and end; false where the answer takes the long way.
    func take(_ answer: Exchange.Answer, _ exchange: Exchange) -> Bool {
        bytes = Self.bytes(answer, exchange)
        return bytes != nil
    }

    /// An answer with a body as it goes out on a connection that stays open; nil where it takes the long way.
    static func bytes(_ answer: Exchange.Answer, _ exchange: Exchange) -> ByteBuffer? {
        let size = answer.body.readableBytes
        guard exchange.head.version == .http1_1, size <= copied else { return nil }
        var out = ByteBufferAllocator().buffer(capacity: 448 + size)
        if answer.status == .ok {
            out.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            out.writeString("HTTP/1.1 \(answer.status.code) \(answer.status.reasonPhrase)\r\n")
        }
        if !answer.contentType.isEmpty { out.writeLine("content-type: ", answer.contentType) }
        out.writeStaticString("content-length: ")
        out.writeDecimal(size)
        out.writeLine("\r\nx-request-id: ", exchange.requestID)
        exchange.fixedFields.write(into: &out, unlessIn: answer.headers)
        for (name, value) in exchange.extraHeaders { out.writeField(name, value) }
        for (name, value) in answer.headers { out.writeField(name, value) }
        out.writeStaticString("\r\n")
        out.writeImmutableBuffer(answer.body)
        return out
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let bytes else { return context.write(data, promise: promise) }
        guard case .end = unwrapOutboundIn(data) else {
            promise?.succeed()
            return
        }
        self.bytes = nil
        reader.write(bytes, promise: promise)
    }
}

extension ByteBuffer {
    fileprivate mutating func writeLine(_ start: StaticString, _ value: String) {
        writeStaticString(start)
        writeString(value)
        writeStaticString("\r\n")
    }

    fileprivate mutating func writeField(_ name: String, _ value: String) {
        writeString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }

    /// `value` is not negative.
    fileprivate mutating func writeDecimal(_ value: Int) {
        var divisor = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            writeInteger(UInt8(48 + value / divisor % 10))
            divisor /= 10
        }
    }
}
