// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import Synchronization
internal import TheatreManifest

/// Builds the pipeline of an accepted connection.
struct ChannelSetup: Sendable {
    let core: GatewayCore
    let loops: LoopStates
    let certificate: ServedCertificate?

    func configure(_ channel: any Channel) -> EventLoopFuture<Void> {
        let open = core.connections.add(1, ordering: .relaxed).newValue
        let core = core
        channel.closeFuture.whenComplete { _ in core.connections.subtract(1, ordering: .relaxed) }
        guard open <= core.configuration.limits.connections, admitsSubscriber(of: channel) else {
            return channel.close()
        }
        return channel.eventLoop.makeCompletedFuture {
            guard let context = certificate?.context else { return try addHTTP1(channel) }
            let handshake = channel.eventLoop.scheduleTask(in: core.configuration.timeouts.headers) {
                channel.close(promise: nil)
            }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            let setup = self
            try channel.pipeline.syncOperations.addHandler(
                ApplicationProtocolNegotiationHandler { result, channel in
                    handshake.cancel()
                    return channel.eventLoop.makeCompletedFuture {
                        if case .negotiated("h2") = result {
                            try setup.addHTTP2(channel)
                        } else {
                            try setup.addHTTP1(channel)
                        }
                    }
                })
        }
    }

    /// Nobody but a proxy of ours takes more than his share of the connections.
    private func admitsSubscriber(of channel: any Channel) -> Bool {
        guard let address = NetworkAddress(channel.remoteAddress), !core.proxies.contain(address) else { return true }
        let core = core
        guard core.subscribers.open(address, most: core.configuration.limits.connectionsOfOne) else { return false }
        channel.closeFuture.whenComplete { _ in core.subscribers.close(address) }
        return true
    }

    func addHTTP1(_ channel: any Channel) throws {
        let handler = RequestHandler(core: core, state: loops.state(of: channel.eventLoop))
        let reader = RequestReader(handler, limits: core.configuration.limits)
        handler.reader = reader
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(reader)
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(handler)
    }

    func addHTTP2(_ channel: any Channel) throws {
        let configuration = core.configuration
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: configuration.limits.concurrentStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: configuration.limits.headers),
        ]
        let manager = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: configuration.timeouts.keepAlive, maxAge: nil, maxGraceTime: configuration.timeouts.drain,
                keepalive: nil))
        let end = HTTP2ConnectionEnd(
            most: configuration.timeouts.keepAlive + configuration.timeouts.drain, log: core.log)
        let streams = HTTP2ConnectionEnd.Streams(
            end: NIOLoopBound(end, eventLoop: channel.eventLoop), manager: manager.http2StreamDelegate)
        let setup = self
        let pipeline = channel.pipeline.syncOperations
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: connection, streamConfiguration: .init(),
            streamDelegate: streams
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let state = setup.loops.state(of: stream.eventLoop)
                try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                try stream.pipeline.syncOperations.addHandler(
                    RequestHandler(core: setup.core, state: state, isStream: true))
            }
        }
        try pipeline.addHandler(manager)
        try pipeline.addHandler(end)
        // Its time without a stream begins when the connection does, which was before there was a protocol.
        manager.channelActive(context: try pipeline.context(handler: manager))
        let bound = NIOLoopBound(loops.state(of: channel.eventLoop), eventLoop: channel.eventLoop)
        bound.value.opened(channel)
        channel.closeFuture.whenComplete { _ in bound.value.closed(channel) }
    }
}
