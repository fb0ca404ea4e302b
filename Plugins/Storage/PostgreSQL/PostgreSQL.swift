// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// Storage by SQL on a PostgreSQL server, and the event log, jobs and leases on the same.
struct PostgreSQL: Plugin {
    static var operations: [Operation<PostgreSQL>] {
        sqlDatabaseOperations + sqlAuditOperations + sqlMaintenanceOperations + eventsLogOperations
            + jobsQueueOperations
            + leaseLeasesOperations
    }

    private let host: PluginHost
    private let configuration: PostgreSQLConfiguration
    private let opened = OpenedEngine()

    init(_ host: PluginHost, _ configuration: PostgreSQLConfiguration) throws {
        self.host = host
        self.configuration = configuration
        _ = try configuration.options(password: "")
    }

    func activate() async throws {
        let host = host
        let environment = EngineEnvironment(
            now: { host.now }, newID: { ULID.next(prefix: $0, at: $1) }, digest: { Digest.sha256($0) },
            warn: { host.log.warning($0, $1) })
        let options = try configuration.options(password: try await password())
        let engine = try await translating { try await Engine.open(options, environment) }
        opened.set(engine)
        host.log.debug("opened", ["postgresql.version": String(engine.pool.figures.serverVersion)])
    }

    /// The granted secret; empty without one, for servers that trust the socket or a certificate.
    private func password() async throws -> String {
        do {
            let lease = try await HostSecretsClient(host).lease(.with { $0.name = "password" })
            return String(decoding: lease.value, as: UTF8.self)
        } catch let error as PluginError where error.code == .permissionDenied {
            return ""
        }
    }

    func selfTest() async throws {
        let engine = try opened.get()
        try await translating { try await engine.selfTest() }
    }

    func deactivate() async { await opened.take()?.closeAndWait() }

    /// Runs `body` on the engine for a call.
    func serving<Output>(
        _ call: Call, _ body: (Engine, CallerScope) async throws -> Output
    ) async throws -> Output {
        let engine = try opened.get()
        return try await translating {
            try await body(engine, try CallerScope(call.context, isWanted: { call.isWanted }))
        }
    }
}

/// The engine between activation and the end.
private final class OpenedEngine: Sendable {
    private let engine = Mutex<Engine?>(nil)

    func set(_ engine: Engine) { self.engine.withLock { $0 = engine } }

    func take() -> Engine? {
        engine.withLock { engine in
            defer { engine = nil }
            return engine
        }
    }

    func get() throws -> Engine {
        guard let engine = engine.withLock({ $0 }) else { throw PluginError(StorageError.closed) }
        return engine
    }
}
