// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A connection to a server under test that says whatever it is told, byte for byte.
final class RawConnection: Sendable {
    /// What has come, and whether the server has closed.
    private final class Inbox: Sendable {
        private let state = Mutex((bytes: [UInt8](), isClosed: false))
        func take(_ part: ByteBuffer) { state.withLock { $0.bytes += part.readableBytesView } }
        func close() { state.withLock { $0.isClosed = true } }
        var bytes: [UInt8] { state.withLock { $0.bytes } }
        var isClosed: Bool { state.withLock { $0.isClosed } }
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let inbox: Inbox
        init(_ inbox: Inbox) { self.inbox = inbox }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { inbox.take(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { inbox.close() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let inbox: Inbox

    private init(_ channel: any Channel, _ inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    /// - Parameter tls: how to encrypt it; nil for a plain one.
    static func open(_ url: String, tls: NIOSSLContext? = nil) async throws -> RawConnection {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(30))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(Reader(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: Int(port(of: url)) ?? 0).get()
        return RawConnection(channel, inbox)
    }

    var isClosed: Bool { inbox.isClosed }
    var bytes: [UInt8] { inbox.bytes }
    var text: String { String(decoding: inbox.bytes, as: UTF8.self) }

    /// Sends bytes. That the server has closed meanwhile is no error: its answer tells why.
    func send(_ bytes: some Sequence<UInt8>) async {
        _ = try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    func send(_ text: String) async { await send(text.utf8) }

    /// Waits until the server has closed, and returns all it said.
    func end(seconds: Int = 30) async throws -> String {
        try await eventually("the server closes; it said \(text.prefix(200))", seconds: seconds) {
            isClosed ? true : nil
        }
        return text
    }

    /// Waits until so many answers have begun or the server has closed.
    @discardableResult
    func answers(_ count: Int, seconds: Int = 30) async throws -> String {
        try await eventually("\(count) answers; it said \(text.prefix(200))", seconds: seconds) {
            statuses.count >= count || isClosed ? true : nil
        }
        return text
    }

    /// The statuses of all answers that have begun.
    var statuses: [Int] {
        text.matches(of: #/HTTP/1\.[01] ([0-9]{3}) /#).compactMap { Int($0.1) }
    }

    func close() async { _ = try? await channel.close().get() }

    /// What a server says to bytes on a connection of their own, until it closes.
    static func ask(_ url: String, _ bytes: some Sequence<UInt8>) async throws -> RawConnection {
        let connection = try await open(url)
        await connection.send(bytes)
        return connection
    }
}
