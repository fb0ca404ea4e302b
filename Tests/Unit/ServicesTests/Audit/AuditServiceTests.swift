// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

@Suite struct AuditServiceTests {
    private static let operating = {
        var grants = ResolvedGrants()
        grants.operates = true
        return grants
    }()

    private func serve<Response: Message>(
        _ bench: AuditBench, _ operation: String, _ request: some Message, tenant: String = "t1",
        grants: ResolvedGrants = AuditServiceTests.operating, _ type: Response.Type
    ) async throws -> Response {
        let call = try FakeHostCall(request, grants: grants, tenant: tenant)
        AuditService(bench.shelf.calls, storage: "sqlite", keys: bench.keys, key: "audit").serve(operation, call)
        return try await call.response(type)
    }

    private func refusal(
        _ bench: AuditBench, _ operation: String, _ request: some Message,
        grants: ResolvedGrants = AuditServiceTests.operating
    ) async throws -> String? {
        let call = try FakeHostCall(request, grants: grants, tenant: "t1")
        AuditService(bench.shelf.calls, storage: "sqlite", keys: bench.keys, key: "audit").serve(operation, call)
        return await call.error()?.reason
    }

    @Test func theTenantIsTheCallsAndNobodyElses() async throws {
        let bench = try AuditBench()
        let asked = Mutex<[SQLSearchAuditRequest]>([])
        bench.shelf.calls.serve("sqlite", "theatre.sql.v1.Audit/SearchAudit") {
            (request: SQLSearchAuditRequest, _) -> SQLSearchAuditResponse? in
            asked.withLock { $0.append(request) }
            return .with {
                $0.rows = [
                    .with {
                        $0.principal = "usr_1"
                        $0.seq = 4
                        $0.hash = Data([0, 171])
                    }
                ]
                $0.next = 41
            }
        }
        let search = HostAuditSearch.with {
            $0.actor = "usr_1"
            $0.cursor = "77"
        }
        let found = try await serve(bench, "Search", search, tenant: "t7", HostAuditRecords.self)
        #expect(found.nextCursor == "41" && found.records.map(\.hash) == ["00ab"] && found.records[0].actor == "usr_1")
        let request = try #require(asked.withLock { $0.first })
        #expect(request.tenant == "t7" && request.actor == "usr_1" && request.beforeID == 77)
        for cursor in ["x", "-1", "0", "9999999999999999999999"] {
            let reason = try await refusal(bench, "Search", HostAuditSearch.with { $0.cursor = cursor })
            #expect(reason == "audit.bad_cursor")
        }
        #expect(try await refusal(bench, "Search", HostAuditSearch.with { $0.limit = 201 }) == "audit.bad_limit")
        #expect(try await refusal(bench, "Search", search, grants: .init()) == "plugins.not_granted")
        #expect(try await refusal(bench, "Verify", HostAuditVerification(), grants: .init()) == "plugins.not_granted")
    }

    @Test func aVerdictIsOfOneTenant() async throws {
        let bench = try AuditBench()
        bench.sealer().start()
        for tenant in ["t1", "t2", "t1"] { bench.shelf.append(tenant) }
        bench.clock.advance(30_000)
        var verdict = try await serve(bench, "Verify", HostAuditVerification(), HostAuditVerdict.self)
        #expect(verdict.intact && verdict.rows == 2 && verdict.checkpoints == 1 && verdict.checkedSeq == 2)
        bench.shelf.books.withLock { $0.rows[1].principal = "usr_else" }
        #expect(try await serve(bench, "Verify", HostAuditVerification(), HostAuditVerdict.self).intact)
        verdict = try await serve(bench, "Verify", HostAuditVerification(), tenant: "t2", HostAuditVerdict.self)
        #expect(!verdict.intact && verdict.findings.map(\.code) == ["audit.row_changed"])
    }
}
