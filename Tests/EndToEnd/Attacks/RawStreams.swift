// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK
import NIOSSL

/// A frame of HTTP/2 (RFC 9113, section 4), right or wrong.
struct RawFrame: Sendable, Equatable {
    /// What frames are, by number.
    enum Kind: UInt8, Sendable {
        case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
    }

    /// The last of a stream, or the acknowledgement of settings and pings.
    static let end: UInt8 = 0x1
    /// The last of a field block.
    static let wholeBlock: UInt8 = 0x4

    var kind: UInt8
    var flags: UInt8 = 0
    var stream: UInt32
    var payload: [UInt8] = []

    init(_ kind: Kind, _ flags: UInt8 = 0, on stream: UInt32, _ payload: [UInt8] = []) {
        (self.kind, self.flags, self.stream, self.payload) = (kind.rawValue, flags, stream, payload)
    }

    var bytes: [UInt8] { Self.number(UInt32(payload.count), 3) + [kind, flags] + Self.number(stream, 4) + payload }

    static func number(_ value: UInt32, _ bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    /// A field block in which nothing is indexed: any bytes, also those that no encoder would write.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        func text(_ text: String) -> [UInt8] { integer(text.utf8.count) + Array(text.utf8) }
        return fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    /// An integer with a prefix of seven bits (RFC 7541, 5.1).
    private static func integer(_ value: Int) -> [UInt8] {
        guard value >= 127 else { return [UInt8(value)] }
        var rest = value - 127
        var bytes: [UInt8] = [127]
        while rest >= 128 {
            bytes.append(UInt8(rest % 128 + 128))
            rest /= 128
        }
        return bytes + [UInt8(rest)]
    }

    /// All whole frames that begin at the start of bytes.
    static func all(in bytes: [UInt8]) -> [RawFrame] {
        var frames: [RawFrame] = []
        var at = 0
        while at + 9 <= bytes.count {
            let length = bytes[at..<at + 3].reduce(0) { $0 << 8 | Int($1) }
            guard at + 9 + length <= bytes.count else { break }
            var frame = RawFrame(.data, bytes[at + 4], on: bytes[at + 5..<at + 9].reduce(0) { $0 << 8 | UInt32($1) })
            frame.kind = bytes[at + 3]
            frame.payload = Array(bytes[at + 9..<at + 9 + length])
            frames.append(frame)
            at += 9 + length
        }
        return frames
    }
}

extension RawConnection {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// An encrypted connection on which both sides have agreed on HTTP/2, and settings were sent.
    static func openHTTP2(_ url: String) async throws -> RawConnection {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(SelfSigned.certificate.utf8)))
        tls.certificateVerification = .noHostnameVerification
        tls.applicationProtocols = ["h2"]
        let connection = try await open(url, tls: try NIOSSLContext(configuration: tls))
        await connection.send(preface + RawFrame(.settings, on: 0).bytes)
        return connection
    }

    /// What has come, in frames.
    var frames: [RawFrame] { RawFrame.all(in: bytes) }

    /// The statuses that streams were answered with, by stream.
    func streamStatuses() throws -> [UInt32: String] {
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var statuses: [UInt32: String] = [:]
        for frame in frames where frame.kind == RawFrame.Kind.headers.rawValue {
            var block = ByteBuffer(bytes: frame.payload)
            let fields = try decoder.decodeHeaders(from: &block)
            if let status = fields.first(name: ":status") { statuses[frame.stream] = status }
        }
        return statuses
    }

    /// Whether a stream was ended by the server without an answer, or the whole connection was.
    func isRefused(_ stream: UInt32) -> Bool {
        frames.contains {
            $0.kind == RawFrame.Kind.goAway.rawValue || $0.kind == RawFrame.Kind.reset.rawValue && $0.stream == stream
        }
    }
}
