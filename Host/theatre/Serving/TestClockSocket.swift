// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOPosix
import Runtime
import TheatreManifest

/// A Unix socket on which a test moves the host's clock: one JSON object a line, `{"advance_ms": 60000}`, answered by
/// `{"wall_ms": …}`. Only in development.
final class TestClockSocket: Sendable {
    private let channel: any Channel

    /// Listens at `path`, which only this user may use; `moved` is called after every move.
    init(path: String, clock: SystemClock, moved: @escaping @Sendable () -> Void) async throws {
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(LineDecoder()), TestClockHandler(clock: clock, moved: moved),
                    ])
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// Listens no more.
    func close() async throws { try await channel.close() }
}

/// Lines of at most 4 KiB.
private struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = String

    /// A line that is too long.
    struct TooLong: Error {}

    private func nextLine(_ buffer: inout ByteBuffer) throws -> String? {
        guard let end = buffer.readableBytesView.firstIndex(of: 10) else {
            guard buffer.readableBytes <= 4096 else { throw TooLong() }
            return nil
        }
        let line = buffer.readString(length: end - buffer.readerIndex) ?? ""
        buffer.moveReaderIndex(forwardBy: 1)
        return line
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let line = try nextLine(&buffer) else { return .needMoreData }
        context.fireChannelRead(NIOAny(line))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState { .needMoreData }
}

private final class TestClockHandler: ChannelInboundHandler {
    typealias InboundIn = String
    typealias OutboundOut = ByteBuffer

    private let clock: SystemClock
    private let moved: @Sendable () -> Void

    init(clock: SystemClock, moved: @escaping @Sendable () -> Void) {
        self.clock = clock
        self.moved = moved
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = unwrapInboundIn(data)
        var answer = #"{"error":"an object with advance_ms, 0 to 10^12, is expected"}"#
        let value = try? JSONValue(json: Data(line.utf8))
        if let milliseconds = value?["advance_ms"]?.integer, (0...1_000_000_000_000).contains(milliseconds) {
            clock.advance(nanoseconds: UInt64(milliseconds) * 1_000_000)
            moved()
            answer = "{\"wall_ms\":\(clock.wall() / 1_000_000)}"
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer + "\n")), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
