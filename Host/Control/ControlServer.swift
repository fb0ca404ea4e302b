// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOPosix
public import TheatreManifest

/// A Unix socket by which the operator of this machine speaks to a running host: one JSON object in a line, one JSON
/// object in a line back, then the connection ends. Only the host's own user, and root, are heard.
public final class ControlServer: Sendable {
    /// Answers one request, exactly once, on any thread.
    public typealias Handler = @Sendable (JSONValue, @escaping @Sendable (JSONValue) -> Void) -> Void

    private let channel: any Channel
    private let path: String

    /// Listens at `path`, with mode 0600.
    ///
    /// - Throws: ``ControlFailure`` where another host listens there, or the path cannot be bound: it may have 107 bytes.
    public init(path: String, handler: @escaping Handler) async throws {
        self.path = path
        if ControlClient(path: path).isHeard {
            throw ControlFailure("another host listens at \(path); end it, or give this one a state folder of its own")
        }
        do {
            channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            ByteToMessageHandler(RequestLines()), RequestHandler(handler),
                        ])
                    }
                }
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw ControlFailure("\(path) cannot be listened on: \(error)")
        }
    }

    /// Listens no more, and takes the socket's file away.
    public func close() async throws {
        try await channel.close()
        unlink(path)
    }
}

/// Why there is no control socket, or no answer on it, in words for the operator.
public struct ControlFailure: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String
    /// A failure.
    public init(_ description: String) { self.description = description }
}

/// Lines of at most 64 KiB.
private struct RequestLines: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    struct TooLong: Error {}

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let end = buffer.readableBytesView.firstIndex(of: 10)
        guard (end ?? buffer.writerIndex) - buffer.readerIndex <= 64 << 10 else { throw TooLong() }
        guard let end else { return .needMoreData }
        if let line = buffer.readSlice(length: end - buffer.readerIndex) { context.fireChannelRead(NIOAny(line)) }
        buffer.moveReaderIndex(forwardBy: 1)
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState { .needMoreData }
}

/// `struct ucred`, which is visible in C with `_GNU_SOURCE` alone.
private struct PeerCredentials {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}

/// One request of one peer.
private final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let handler: ControlServer.Handler
    private var isAsked = false
    private var patience: Scheduled<Void>?

    init(_ handler: @escaping ControlServer.Handler) { self.handler = handler }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        patience = context.eventLoop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAsked else { return context.close(promise: nil) }
        isAsked = true
        patience?.cancel()
        let line = unwrapInboundIn(data)
        let channel = context.channel
        guard let options = channel as? any SocketOptionProvider else { return context.close(promise: nil) }
        let peer: EventLoopFuture<PeerCredentials> = options.unsafeGetSocketOption(
            level: .socket, name: .init(rawValue: SO_PEERCRED))
        let handler = handler
        peer.whenComplete { result in
            guard case .success(let peer) = result, peer.uid == getuid() || peer.uid == 0 else {
                return Self.answer(
                    ControlAnswer.failure("control.not_the_owner", "Only the host's own user may operate it."), channel)
            }
            do {
                let request = try JSONValue(json: Data(line.readableBytesView))
                guard request.object != nil else { throw ControlFailure("it is no object") }
                handler(request) { Self.answer($0, channel) }
            } catch {
                Self.answer(
                    ControlAnswer.failure("control.malformed", "A request is one JSON object in a line: \(error)."),
                    channel)
            }
        }
    }

    private static func answer(_ value: JSONValue, _ channel: any Channel) {
        var buffer = ByteBuffer()
        do { buffer.writeBytes(try value.json()) } catch {
            let text = "The answer cannot be written: \(error)".filter { $0 != "\"" && $0 != "\\" && !$0.isNewline }
            buffer.writeString(#"{"ok":false,"reason":"control.unwritable","message":"\#(text)"}"#)
        }
        buffer.writeString("\n")
        channel.writeAndFlush(buffer).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
