// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import NIOCore
internal import NIOExtras
internal import NIOHTTP1
internal import NIOHTTP2
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
public import Runtime
internal import Synchronization

/// The HTTP server: routes requests to operations of plugins.
public final class GatewayServer: Sendable {
    let core: GatewayCore
    private let group: any EventLoopGroup
    private let loops: LoopStates
    private let quiescing: ServerQuiescingHelper
    private let listener = Mutex<(any Channel)?>(nil)
    private let certificate = Mutex<ServedCertificate?>(nil)

    /// A server that is not bound yet.
    public init(
        configuration: GatewayConfiguration, table: GatewayTable, calls: any CallStarting,
        services: GatewayServices = GatewayServices(), group: any EventLoopGroup, log: Logger
    ) {
        core = GatewayCore(configuration: configuration, table: table, calls: calls, services: services, log: log)
        self.group = group
        loops = LoopStates(group)
        quiescing = ServerQuiescingHelper(group: group)
    }

    /// Binds the listener.
    ///
    /// - Returns: the address it has, with the real port.
    /// - Throws: what the socket or the certificate says.
    @discardableResult
    public func start() async throws -> SocketAddress {
        let configuration = core.configuration
        let shown = try configuration.tls.map { try ServedCertificate($0) }
        certificate.withLock { $0 = shown }
        let setup = ChannelSetup(core: core, loops: loops, certificate: shown)
        let quiescing = quiescing
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                }
            }
            .childChannelInitializer { setup.configure($0) }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .bind(host: configuration.host, port: configuration.port).get()
        listener.withLock { $0 = channel }
        let core = core
        let flushing = channel.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(60), delay: .seconds(60)) { _ in
            core.flushRefusals()
        }
        let watching = channel.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(10), delay: .seconds(10)) { _ in
            guard shown != nil else { return }
            NIOThreadPool.singleton.submit { state in
                if case .active = state { self.reloadCertificate(always: false) }
            }
        }
        channel.closeFuture.whenComplete { _ in
            flushing.cancel()
            watching.cancel()
        }
        guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
        core.log.notice("gateway listens", metadata: ["address": "\(address)"])
        return address
    }

    /// Serves these routes from the next request on. Any thread.
    public func replace(_ table: GatewayTable) { core.table = table }

    /// Shows the certificate as its files are now, to whoever connects from now on; where they cannot be read, the one
    /// shown so far. Happens by itself within ten seconds of a change. Any thread; blocks.
    public func reloadCertificate() { reloadCertificate(always: true) }

    private func reloadCertificate(always: Bool) {
        guard let certificate = certificate.withLock({ $0 }) else { return }
        do {
            if try certificate.reload(always: always) { core.log.notice("certificate read again") }
        } catch {
            core.log.error(
                "the certificate cannot be read; the one before is shown on", metadata: ["error": "\(error)"])
        }
    }

    /// The table served now.
    public var table: GatewayTable { core.table }

    /// Refuses the tokens of a session from the next request on. Any thread.
    public func revoke(session: String) { core.revocations.revoke(session, at: wallMilliseconds()) }

    /// Forgets what anybody was to any project: from the next request on it is asked for again. Any thread.
    public func forgetStandings() { core.accessEpoch.add(1, ordering: .releasing) }

    /// The gateway's metrics in Prometheus text.
    public func metrics() -> String { core.metricsText() }

    /// Stops accepting, lets requests in flight finish, and closes everything after the drain time-out at the latest.
    public func drain() async {
        core.isDraining.store(true, ordering: .relaxed)
        guard listener.withLock({ $0 }) != nil else { return }
        let loop = group.next()
        let promise = loop.makePromise(of: Void.self)
        let loops = loops
        let timeout = loop.scheduleTask(in: core.configuration.timeouts.drain) { loops.closeAll() }
        quiescing.initiateShutdown(promise: promise)
        loops.endStreams()
        do { try await promise.futureResult.get() } catch {
            core.log.warning("drain failed", metadata: ["error": "\(error)"])
        }
        timeout.cancel()
        core.flushRefusals(all: true)
    }
}
