// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Admin
@testable import SQLite

/// The plugin as operators and others see it, over the real database and a host that notes what it is asked.
struct AdminTests {
    let host = TestHost()

    init() async throws {
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("admin.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        host.serve("theatre.host.v1.Plugins/List") { (_: HostListInstancesRequest, _) in
            HostInstances.with { $0.instances = [.with { $0.instance = "ledger" }] }
        }
        host.serve("theatre.host.v1.Plugins/Disable") { (request: HostOperateRequest, _) in
            guard request.instance == "ledger" else {
                throw PluginError.notFound("plugins.unknown_instance", "No instance of this host is named that.")
            }
            return HostInstance.with {
                $0.instance = request.instance
                $0.state = "DISABLED"
                $0.reason = request.reason
            }
        }
        try await host.install(
            Admin.self, manifest: .plugin("Operations/Admin"), instance: "admin",
            configuration: #"{"operators": ["usr_boss"]}"#)
        host.route("admin", to: "admin", capability: "theatre.admin.v1.Plugins")
    }

    private func admin(_ principal: String, roles: [String] = ["user"]) -> AdminPluginsClient {
        AdminPluginsClient(
            host.scope(context: {
                $0.principal = principal
                $0.tenant = "default"
                $0.roles = roles
            }), feature: "admin")
    }

    private func reason(_ body: () async throws -> some Sendable) async throws -> String? {
        do {
            _ = try await body()
            return nil
        } catch let error as PluginError {
            return error.reason
        }
    }

    @Test func operatorsAreLetInAndNobodyElse() async throws {
        #expect(try await admin("usr_boss").list(HostListInstancesRequest()).instances.map(\.instance) == ["ledger"])
        #expect(try await admin("usr_1", roles: ["admin"]).list(HostListInstancesRequest()).instances.count == 1)
        for stranger in ["usr_1", ""] {
            let refused = try await reason { try await admin(stranger).list(HostListInstancesRequest()) }
            #expect(refused == "admin.not_an_operator")
            let request = HostOperateRequest.with { $0.instance = "ledger" }
            #expect(try await reason { try await admin(stranger).disable(request) } == "admin.not_an_operator")
        }
    }

    @Test func aChangeIsStoredWithItsAnswerAndAFailureIsNot() async throws {
        let request = HostOperateRequest.with {
            $0.instance = "ledger"
            $0.reason = "it drifts"
        }
        #expect(try await admin("usr_boss").disable(request).state == "DISABLED")
        let other = HostOperateRequest.with { $0.instance = "nobody" }
        #expect(try await reason { try await admin("usr_boss").disable(other) } == "plugins.unknown_instance")
        let store = Database(host.scope(as: "admin"), feature: "admin.storage")
        let rows = try await store.read(
            "SELECT operator, action, instance, reason FROM {changes} WHERE tenant = :tenant")
        #expect(
            try rows.map { try [$0.text("operator"), $0.text("action"), $0.text("instance"), $0.text("reason")] } == [
                ["usr_boss", "disable", "ledger", "it drifts"]
            ])
    }
}
