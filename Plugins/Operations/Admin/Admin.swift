// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Operators look after the host's plugins and the audit log over HTTP. Nobody else is let in; all of it is in the audit.
struct Admin: Plugin, AdminPluginsContract {
    static var operations: [Operation<Admin>] { adminPluginsOperations + adminAuditOperations }

    private let host: PluginHost
    private let configuration: AdminConfiguration

    init(_ host: PluginHost, _ configuration: AdminConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws { try await AdminStore(host).migrate() }

    // MARK: looking

    func list(_ request: HostListInstancesRequest, _ call: Call) async throws -> HostInstances {
        try admit(call)
        return try await HostPluginsClient(call).list(request)
    }

    func show(_ request: HostShowInstanceRequest, _ call: Call) async throws -> HostInstance {
        try admit(call)
        return try await HostPluginsClient(call).show(request)
    }

    func logs(_ request: HostInstanceLogsRequest, _ call: Call) async throws -> HostInstanceLogs {
        try admit(call)
        return try await HostPluginsClient(call).logs(request)
    }

    // MARK: changing

    func enable(_ request: HostOperateRequest, _ call: Call) async throws -> HostInstance {
        try await change(call, "enable", request) { try await $0.enable(request) }
    }

    func disable(_ request: HostOperateRequest, _ call: Call) async throws -> HostInstance {
        try await change(call, "disable", request) { try await $0.disable(request) }
    }

    func quarantine(_ request: HostOperateRequest, _ call: Call) async throws -> HostInstance {
        try await change(call, "quarantine", request) { try await $0.quarantine(request) }
    }

    func release(_ request: HostOperateRequest, _ call: Call) async throws -> HostInstance {
        try await change(call, "release", request) { try await $0.release(request) }
    }

    func swap(_ request: HostSwapRequest, _ call: Call) async throws -> HostSwapped {
        let asked = HostOperateRequest.with { $0.instance = request.instance }
        return try await change(call, "swap", asked, library: request.library) { try await $0.swap(request) }
    }

    func rollback(_ request: HostOperateRequest, _ call: Call) async throws -> HostSwapped {
        try await change(call, "rollback", request) { try await $0.rollback(request) }
    }

    /// Asks the host, then stores what was done together with the answer: one commit writes the row, the audit row and
    /// what a repetition with the same idempotency key is answered.
    ///
    /// A crash between the two leaves the change without its row here; every change may be asked for again.
    private func change<Answer: Message & Sendable>(
        _ call: Call, _ action: String, _ request: HostOperateRequest, library: String = "",
        _ body: (HostPluginsClient) async throws -> Answer
    ) async throws -> Answer {
        try admit(call)
        let answer = try await body(HostPluginsClient(call))
        let digest = (answer as? HostSwapped)?.instance.runningDigest ?? ""
        let change = AdminStore.Change(
            action: action, instance: request.instance, reason: request.reason, library: library, digest: digest)
        try await AdminStore(call).note(change, by: call, answer)
        return answer
    }

    /// Operators have the role `admin`, or are named in the configuration.
    func admit(_ call: Call) throws {
        let isOperator =
            call.context.roles.contains("admin")
            || (!call.principal.isEmpty && configuration.operators.contains(call.principal))
        guard isOperator else { throw AdminError.notAnOperator }
    }
}
