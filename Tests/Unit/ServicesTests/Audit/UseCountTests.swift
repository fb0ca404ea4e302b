// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// What services that use secrets and keys tell the audit: what became of each use, and no name that nobody granted.
@Suite struct UseCountTests {
    @Test func usesAreCountedAndNamedAndNothingElse() async throws {
        let calls = FakeCalls()
        let clock = ManualClock()
        let entries = Mutex<[SQLAuditEntry]>([])
        calls.serve("sqlite", "theatre.sql.v1.Database/AppendAudit") {
            (request: SQLAppendAuditRequest, _) -> SQLAppendAuditResponse? in
            entries.withLock { $0 += request.entries }
            return .init()
        }
        let writer = AuditWriter(calls, storage: "sqlite", clock: clock, log: AuditBench.silent)
        let uses = UseCounts(writer: writer, clock: clock, log: AuditBench.silent)
        let folder = try Folder()
        let store = FileKeys(folder: folder.path, generate: true)
        try store.prepare(keys: [.init(key: "session", algorithm: "EdDSA")])
        let secrets = TableSecrets(values: ["env:T": "value"])
        let egress = try EgressService(
            group: MultiThreadedEventLoopGroup.singleton, secrets: secrets, uses: uses, monotonic: { 0 },
            policy: EgressPolicy(requiresTLS: false))
        let services: [any HostService] = [
            KeysService(source: store, uses: uses), SecretsService(source: secrets, uses: uses), egress,
        ]
        var grants = ResolvedGrants()
        grants.keys["session"] = .init(key: "session", algorithm: "EdDSA")
        grants.secrets["token"] = .init(
            source: "env:T", hosts: ["127.0.0.1"], places: ["authorization"], isLease: true)
        grants.secrets["gone"] = .init(source: "env:GONE", hosts: [], places: [], isLease: true)
        grants.egress = [.init(host: "127.0.0.1", port: 1, isPrivate: true)]
        func use(_ contract: String, _ operation: String, _ request: some Message) async throws {
            let call = try FakeHostCall(request, grants: grants)
            services.first { $0.contract == "theatre.host.v1.\(contract)" }?.serve(operation, call)
            _ = await call.answer()
        }
        func fetch(_ header: String, _ value: String, body: String = "") async throws {
            let request = HostFetchRequest.with {
                $0.method = "POST"
                // Nobody listens there: what was put into the request was used all the same.
                $0.url = "http://127.0.0.1:1/v1"
                $0.headers = [
                    .with {
                        $0.name = header
                        $0.value = value
                    }
                ]
                $0.body = Data(body.utf8)
            }
            try await use("Egress", "Fetch", request)
        }
        for _ in 0..<1000 { try await use("Keys", "Sign", HostSignRequest.with { $0.key = "session" }) }
        try await use("Keys", "PublicKeys", HostPublicKeysRequest.with { $0.key = "session" })
        try await use("Keys", "Mac", HostMacRequest.with { $0.key = "s3cret" })
        try await use("Secrets", "Lease", HostLeaseRequest.with { $0.name = "token" })
        try await use("Secrets", "Lease", HostLeaseRequest.with { $0.name = "gone" })
        try await fetch("authorization", "Bearer ${secret:token} $", body: "money: $5")
        try await fetch("x-other", "${secret:token}")
        try await fetch("authorization", "${secret:other}")
        try await fetch("accept", "text/plain", body: "${secret:token}")
        try await egress.shutdown().get()
        clock.advance(1000)
        let rows = try entries.withLock { entries in
            try entries.map { entry in
                let context = try HostContext(serializedBytes: entry.context)
                #expect(context.caller == "orders" && context.tenant == "default")
                return "\(context.resource) \(context.action) \(entry.outcome) \(entry.reason) \(entry.count)"
            }.sorted()
        }
        #expect(
            rows == [
                "key:session sign used  1000", "key:unknown mac refused keys.not_granted 1",
                "secret:gone lease refused secrets.missing 1", "secret:token lease used  1",
                "secret:token substitute refused egress.secret_misplaced 1", "secret:token substitute used  1",
                "secret:unknown substitute refused egress.secret_misplaced 1",
            ])
    }
}
