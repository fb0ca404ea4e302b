// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
public import Logging
public import Registry
public import Runtime
internal import Synchronization
internal import TheatreManifest
internal import Transcoding

/// Serves an unchanged plugin library over gRPC, to hosts that run instances of it in mode `remote`.
public final class PluginServer: Sendable {
    let file: PluginFile
    let catalog: ContractCatalog
    let housing: InProcessHousing
    let settings: Settings
    let logger: Logger
    private let operations: [String: OperationTraits]
    private let transport: HTTP2ServerTransport.Posix
    private let shared = Mutex(Shared())

    private struct Shared {
        var instances: [UInt64: ServedInstance] = [:]
        var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher = 0
        var isStopping = false
    }

    /// Where it listens, and to whom.
    public struct Settings: Sendable {
        /// A port of 0 is any free one.
        public var endpoint: InstanceDeclaration.Place
        /// Files in PEM; nil for plain text, on loopback or a unix socket only.
        public var tls: Keys?
        /// Folder in which instances have theirs; empty for none.
        public var state = ""

        /// A server in plain text without folders.
        public init(endpoint: InstanceDeclaration.Place) { self.endpoint = endpoint }
    }

    /// Files in PEM by which it knows hosts and they know it.
    public struct Keys: Sendable {
        /// Authorities that may have signed a host's certificate.
        public var authority: String
        /// Its own certificate.
        public var certificate: String
        /// The key of that.
        public var key: String

        /// Three files.
        public init(authority: String, certificate: String, key: String) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
        }
    }

    /// A server of a library; nothing of it runs before a host asks for an instance.
    ///
    /// - Throws: what is wrong with the library or the files, `remote.plaintext`.
    public init(_ file: PluginFile, _ settings: Settings, logger: Logger) throws(LoadError) {
        if let fault = file.fault { throw fault }
        (self.file, self.settings, self.logger) = (file, settings, logger)
        housing = InProcessHousing()
        do throws(CatalogError) {
            catalog = try ContractCatalog(descriptorSets: [file.contracts], comments: false)
        } catch {
            throw LoadError(
                plugin: file.manifest.name, code: "plugin.bad_contracts", expected: "contracts this program can read",
                found: "\(error)", fix: "build it with the contracts.binpb that `make contracts` writes")
        }
        let catalog = catalog
        operations = Dictionary(
            file.manifest.operations.map { ($0, OperationTraits(of: $0, in: catalog)) }
        ) { first, _ in first }
        transport = try Self.transport(file.manifest.name, settings)
    }

    private static func transport(
        _ plugin: String, _ settings: Settings
    ) throws(LoadError) -> HTTP2ServerTransport.Posix {
        var security = HTTP2ServerTransport.Posix.TransportSecurity.plaintext
        if let tls = settings.tls {
            security = try Credentials.server(
                authority: tls.authority, certificate: tls.certificate, key: tls.key, plugin)
        } else if !settings.endpoint.isLocal {
            throw LoadError(
                plugin: plugin, code: "remote.plaintext", expected: "loopback or a unix socket for plain text",
                found: "\(settings.endpoint)", fix: "state --ca, --certificate and --key")
        }
        var config = HTTP2ServerTransport.Posix.Config.defaults
        config.rpc.maxRequestPayloadSize = SessionClient.frameLimit
        config.http2.targetWindowSize = Int(THEATRE_STREAM_CREDIT) * 4
        config.connection.flushCoalescing = nil
        let address: SocketAddress
        switch settings.endpoint {
        case .unix(let path): address = .unixDomainSocket(path: path)
        case .network(let host, let port) where host.hasPrefix("["):
            address = .ipv6(host: String(host.dropFirst().dropLast()), port: port)
        case .network(let host, let port): address = .ipv4(host: host == "localhost" ? "127.0.0.1" : host, port: port)
        }
        return .init(address: address, transportSecurity: security, config: config)
    }

    /// Listens until ``stop()``, or until the task is cancelled.
    ///
    /// - Parameter ready: called with where it listens.
    public func run(ready: @escaping @Sendable (String) -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                try await transport.listen { stream, context in await self.serve(stream, context) }
            }
            let address = try await transport.listeningAddress
            ready(
                address.unixDomainSocket.map { "unix:\($0.path)" } ?? address.ipv4.map { "\($0.host):\($0.port)" }
                    ?? address.ipv6.map { "[\($0.host)]:\($0.port)" } ?? "\(address)")
            try await group.waitForAll()
        }
    }

    /// Says that it does not serve any more, lets calls end, and ends.
    public func stop() {
        let (instances, watchers) = shared.withLock { shared in
            shared.isStopping = true
            return (Array(shared.instances.values), Array(shared.watchers.values))
        }
        for watcher in watchers { watcher.finish() }
        _ = Bridge.start { [transport] in
            for instance in instances { await instance.finishCalls() }
            for instance in instances { instance.end() }
            transport.beginGracefulShutdown()
        }
    }

    // MARK: streams

    typealias Stream = RPCStream<HTTP2ServerTransport.Posix.Inbound, HTTP2ServerTransport.Posix.Outbound>

    private func serve(_ stream: Stream, _ context: ServerContext) async {
        let method = context.descriptor
        do {
            if method == sessionMethod {
                let instance = ServedInstance(self)
                try await instance.run(stream, context)
            } else if method.service == Health.check.service {
                try await health(stream, context)
            } else if let traits = operations[method.fullyQualifiedMethod] {
                try await ServedRequest(self, method.fullyQualifiedMethod, traits).run(stream, context)
            } else {
                let status = Status(code: .unimplemented, message: "\(method.fullyQualifiedMethod) is not served here.")
                try await stream.outbound.write(.status(status, [:]))
                await stream.outbound.finish()
            }
        } catch {
            // The client is gone, and with it whoever could be told.
            logger.debug("a stream broke", metadata: ["method": "\(method)", "error": "\(error)"])
            await stream.outbound.finish(throwing: error)
        }
    }

    private func health(_ stream: Stream, _ context: ServerContext) async throws {
        var service: String?
        for try await part in stream.inbound {
            guard case .message(let bytes) = part else { continue }
            service = Health.service(in: bytes.withUnsafeBytes { Array($0) })
            // A client may leave the stream of a watch open.
            if context.descriptor.method != Health.check.method { break }
        }
        let isKnown = service.map { $0.isEmpty || file.manifest.provides.map(\.capability).contains($0) } ?? false
        try await stream.outbound.write(.metadata([:]))
        if context.descriptor.method == Health.check.method {
            try await stream.outbound.write(.message(GRPCNIOTransportBytes(Health.response(isServing))))
            let end = isKnown ? Status(code: .ok, message: "") : Status(code: .notFound, message: "unknown service")
            try await stream.outbound.write(.status(end, [:]))
        } else {
            try await watch(stream, isKnown: isKnown)
        }
        await stream.outbound.finish()
    }

    private var isServing: Health.Serving { shared.withLock { $0.isStopping } ? .notServing : .serving }

    private func watch(_ stream: Stream, isKnown: Bool) async throws {
        let first = isKnown ? isServing : .serviceUnknown
        try await stream.outbound.write(.message(GRPCNIOTransportBytes(Health.response(first))))
        let (changes, change) = AsyncStream<Void>.makeStream()
        let number = shared.withLock { shared in
            shared.nextWatcher += 1
            shared.watchers[shared.nextWatcher] = change
            if shared.isStopping { change.finish() }
            return shared.nextWatcher
        }
        defer { _ = shared.withLock { $0.watchers.removeValue(forKey: number) } }
        for await _ in changes {}
        try await stream.outbound.write(.message(GRPCNIOTransportBytes(Health.response(.notServing))))
        try await stream.outbound.write(.status(Status(code: .unavailable, message: "The server stops."), [:]))
    }

    // MARK: instances

    /// Takes an instance in; false where its number is taken or the server stops.
    func add(_ instance: ServedInstance, as number: UInt64) -> Bool {
        shared.withLock { shared in
            guard number != 0, shared.instances[number] == nil, !shared.isStopping else { return false }
            shared.instances[number] = instance
            return true
        }
    }

    func remove(_ number: UInt64) { _ = shared.withLock { $0.instances.removeValue(forKey: number) } }

    func instance(_ number: UInt64) -> ServedInstance? { shared.withLock { $0.instances[number] } }
}
