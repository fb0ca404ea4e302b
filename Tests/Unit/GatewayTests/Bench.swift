// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import NIOEmbedded

@testable import Gateway

/// One HTTP/1.1 connection without a socket: text in, text out.
final class Bench {
    let core: GatewayCore
    let loop: EmbeddedEventLoop
    let channel: EmbeddedChannel
    private let loops: LoopStates

    init(
        _ calls: FakeCalls, _ entries: [RouteEntry], services: GatewayServices = GatewayServices(),
        policy: String? = nil, keys: String? = nil,
        _ configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = GatewayConfiguration()
        configure(&configuration)
        core = GatewayCore(
            configuration: configuration, table: try GatewayTable(entries, policy: policy, keys: keys), calls: calls,
            services: services,
            log: .init(label: "test"))
        loop = EmbeddedEventLoop()
        loops = LoopStates(loop)
        channel = EmbeddedChannel(loop: loop)
        try ChannelSetup(core: core, loops: loops, certificate: nil).addHTTP1(channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// Another connection of the same gateway.
    init(sharing other: Bench) throws {
        core = other.core
        loop = other.loop
        loops = other.loops
        channel = EmbeddedChannel(loop: loop)
        try ChannelSetup(core: core, loops: loops, certificate: nil).addHTTP1(channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// Makes a token count as verified.
    func know(_ token: String, _ principal: Principal) {
        loops.state(of: loop).tokens.insert(Caller(principal), for: TokenCache.Key(token: token[...].utf8))
    }

    func endStreams() {
        loops.endStreams()
        loop.run()
    }

    /// Sends text as it is and returns what came back so far.
    @discardableResult
    func send(_ text: String) throws -> String {
        do { try channel.writeInbound(ByteBuffer(string: text)) } catch {
            // What the decoder refuses also fails the write; the answer is what counts.
        }
        loop.run()
        return try received()
    }

    func received() throws -> String {
        var text = ""
        while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
        return text
    }

    func advance(seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }
}

/// A request with the needed headers.
func request(_ method: String, _ target: String, _ headers: [String] = [], body: String = "") -> String {
    let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
    return (["\(method) \(target) HTTP/1.1", "Host: test"] + headers + length).joined(separator: "\r\n") + "\r\n\r\n"
        + body
}
