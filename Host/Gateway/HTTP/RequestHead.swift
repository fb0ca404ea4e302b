// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// The head of a request, whoever read it.
struct RequestHead {
    /// Where all header fields stand.
    private enum Fields {
        case none
        case decoded(HTTPHeaders)
        /// Lines of well-formed fields, each with its end.
        case lines(ByteBuffer)
    }

    let method: HTTPMethod
    let uri: String
    let version: HTTPVersion
    let isKeepAlive: Bool
    private var fields: Fields

    init(_ head: HTTPRequestHead) {
        method = head.method
        uri = head.uri
        version = head.version
        // Behind these the decoder reads nothing more.
        isKeepAlive = head.isKeepAlive && head.method != .CONNECT && !head.headers.contains(name: "upgrade")
        fields = .decoded(head.headers)
    }

    init(_ head: PlainHead, lines: ByteBuffer) {
        method = head.method
        uri = head.uri
        version = .http1_1
        isKeepAlive = head.isKeepAlive
        fields = .lines(lines)
    }

    /// Lets go of the fields, and with them of the bytes that were read.
    mutating func dropFields() {
        fields = .none
    }

    /// Every header field, in the order sent.
    func forEachField(_ take: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        switch fields {
        case .none: break
        case .decoded(let headers):
            for (name, value) in headers {
                var (name, value) = (name, value)
                name.withUTF8 { name in
                    value.withUTF8 { take(UnsafeRawBufferPointer(name), UnsafeRawBufferPointer($0)) }
                }
            }
        case .lines(let lines):
            lines.withUnsafeReadableBytes { PlainHead.forEachField($0, take) }
        }
    }
}
