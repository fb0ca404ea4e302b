// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// The audit log as chains, on every engine.
@Suite(.closing) struct AuditTests {
    @Test(arguments: Engine.allCases)
    func aChainIsStoredOnceAndRead(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let audit = storage.audit
        try await append(3, "t1", on: storage)
        try await append(1, "t2", on: storage)
        let unsealed = try await audit.readUnsealed(.init())
        #expect(unsealed.rows.map(\.tenant) == ["t1", "t1", "t1", "t2"] && unsealed.chains.isEmpty)
        #expect(
            unsealed.rows.map(\.idempotencyKey) == ["-", "-", "-", "-"] && unsealed.rows[0].network == "203.0.113.0/24")
        let request = seal(unsealed, token: 5)
        _ = try await audit.seal(request)
        // A second sealer that saw the same, and one whose lease is an older one.
        await refused("sql.audit_moved") { _ = try await audit.seal(request) }
        try await append(1, "t1", on: storage)
        let more = try await audit.readUnsealed(.init())
        #expect(more.rows.count == 1 && more.chains.map(\.seq) == [3] && more.chains[0].hash == hash(3))
        await refused("sql.audit_moved") { _ = try await audit.seal(self.seal(more, token: 4)) }
        #expect(try await audit.readUnsealed(.init()).rows.count == 1)
        _ = try await audit.seal(seal(more, token: 5, ends: true))

        let chains = try await audit.listChains(.init())
        #expect(
            chains.chains.map(\.tenant) == ["t1", "t2"] && chains.chains.map(\.seq) == [4, 1] && chains.unsealed == 0)
        let rows = try await audit.readChain(.with { $0.tenant = "t1" }).rows
        #expect(rows.map(\.seq) == [1, 2, 3, 4] && rows.map(\.hash) == [1, 2, 3, 4].map(hash))
        #expect(
            rows.map(\.at) == [1000, 1001, 1002, 1000] && rows.allSatisfy { $0.principal == "usr_1" && $0.count == 2 })
        let part = try await audit.readChain(
            .with {
                $0.tenant = "t1"
                $0.afterSeq = 1
                $0.toSeq = 3
                $0.limit = 1
            })
        #expect(part.rows.map(\.seq) == [2])
    }

    @Test(arguments: Engine.allCases)
    func wholeSegmentsGoAndTheirCheckpointsStay(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let audit = storage.audit
        for _ in 0..<2 {
            try await append(2, "t1", on: storage)
            _ = try await audit.seal(seal(try await audit.readUnsealed(.init()), token: 1, ends: true))
        }
        let removable = SQLListCheckpointsRequest.with { $0.removableBefore = 1002 }
        let old = try await audit.listCheckpoints(removable).checkpoints
        #expect(old.map(\.segment) == [1, 2] && old.map(\.firstSeq) == [1, 3] && old.map(\.lastSeq) == [2, 4])
        #expect(try await audit.listCheckpoints(.with { $0.removableBefore = 1001 }).checkpoints.isEmpty)
        var gone = try #require(old.first)
        await refused("sql.audit_step") { _ = try await audit.removeSegment(.with { $0.checkpoint = gone }) }
        gone.removedAt = 77
        gone.removalKeyID = "k2"
        gone.removalSignature = Data([8, 8])
        let removal = SQLRemoveSegmentRequest.with { $0.checkpoint = gone }
        #expect(try await audit.removeSegment(removal).removed == 2)
        await refused("sql.audit_moved") { _ = try await audit.removeSegment(removal) }
        #expect(try await audit.readChain(.with { $0.tenant = "t1" }).rows.map(\.seq) == [3, 4])
        let all = try await audit.listCheckpoints(.with { $0.tenant = "t1" }).checkpoints
        #expect(all == [gone, old[1]])
        #expect(try await audit.listCheckpoints(removable).checkpoints.map(\.segment) == [2])
    }

    @Test(arguments: Engine.allCases)
    func rowsAreFoundByWhatTheySay(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let audit = storage.audit
        try await append(7, "t1", on: storage)
        try await append(2, "t1", on: storage) { $0.principal = "usr_2" }
        try await append(1, "t2", on: storage)
        var times: [Int64] = []
        var request = SQLSearchAuditRequest.with {
            $0.tenant = "t1"
            $0.limit = 3
            $0.from = 1001
            $0.outcome = "read"
        }
        repeat {
            let page = try await audit.searchAudit(request)
            #expect(page.rows.count <= 3)
            times += page.rows.map(\.at)
            request.beforeID = page.next
        } while request.beforeID > 0
        #expect(times == [1001, 1006, 1005, 1004, 1003, 1002, 1001])
        func found(_ edit: (inout SQLSearchAuditRequest) -> Void) async throws -> Int {
            var narrowed = SQLSearchAuditRequest.with { $0.tenant = "t1" }
            edit(&narrowed)
            let page = try await audit.searchAudit(narrowed)
            return page.rows.count
        }
        #expect(try await found { $0.actor = "usr_2" } == 2)
        #expect(try await found { $0.resource = "thing" } == 9)
        #expect(try await found { $0.resource = "thing' OR 1 = 1 --" } == 0)
        #expect(try await found { $0.action = "none" } == 0)
        #expect(try await found { $0.to = 1001 } == 2)
        #expect(try await found { $0.tenant = "" } == 0)
        await refused("sql.audit_limit") { _ = try await audit.searchAudit(.with { $0.limit = 501 }) }
    }

    /// Several sealers at once, none of which knows of the others: each row is in its chain once.
    @Test(arguments: Engine.allCases)
    func sealersInEachOthersWayChainEachRowOnce(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        for tenant in ["t1", "t2", "t3"] { try await append(20, tenant, on: storage) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while true {
                        let unsealed = try await storage.audit.readUnsealed(.with { $0.limit = 7 })
                        guard !unsealed.rows.isEmpty else { return }
                        do { _ = try await storage.audit.seal(self.seal(unsealed, token: 0)) } catch let error
                            as PluginError
                        {
                            guard error.reason == "sql.audit_moved" || error.code == .aborted else { throw error }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let chains = try await storage.audit.listChains(.init())
        #expect(chains.chains.map(\.seq) == [20, 20, 20] && chains.unsealed == 0)
        for tenant in ["t1", "t2", "t3"] {
            let rows = try await storage.audit.readChain(.with { $0.tenant = tenant }).rows
            #expect(rows.map(\.seq) == Array(1...20) && Set(rows.map(\.id)).count == 20)
        }
    }

    private func refused(_ reason: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: PluginError.self) { try await body() }
        #expect(error?.reason == reason, "\(String(describing: error))")
    }

    private func append(
        _ count: Int, _ tenant: String, on storage: Storage, _ edit: (inout HostContext) -> Void = { _ in }
    ) async throws {
        var context = HostContext.with {
            $0.tenant = tenant
            $0.principal = "usr_1"
            $0.route = "GET /things"
            $0.resource = "thing"
            $0.action = "show"
            $0.idempotencyKey = "somebody@example.org"
            $0.network = "203.0.113.0/24"
        }
        edit(&context)
        let bytes: Data = try context.serializedBytes()
        let client = SQLDatabaseClient(storage.host.scope(as: "host"), feature: "storage")
        _ = try await client.appendAudit(
            .with {
                $0.entries = (0..<count).map { index in
                    .with {
                        $0.at = 1000 + Int64(index)
                        $0.context = bytes
                        $0.outcome = "read"
                        $0.count = 2
                    }
                }
            })
    }

    /// Not what the host hashes: the engine only stores it.
    private func hash(_ seq: Int64) -> Data { Data(repeating: UInt8(truncatingIfNeeded: seq), count: 32) }

    private func seal(_ unsealed: SQLReadUnsealedResponse, token: Int64, ends: Bool = false) -> SQLSealRequest {
        var request = SQLSealRequest()
        request.fencingToken = token
        for (tenant, rows) in Dictionary(grouping: unsealed.rows, by: \.tenant) {
            var step = SQLChainStep()
            step.from = unsealed.chains.first { $0.tenant == tenant } ?? .with { $0.tenant = tenant }
            step.to = step.from
            for row in rows {
                step.to.seq += 1
                step.to.hash = hash(step.to.seq)
                step.rows.append(
                    .with {
                        $0.id = row.id
                        $0.seq = step.to.seq
                        $0.hash = step.to.hash
                    })
            }
            step.to.openSince = 9
            if ends {
                step.to.segments += 1
                step.checkpoint = .with {
                    $0.tenant = tenant
                    $0.segment = step.to.segments
                    $0.firstSeq = step.to.checkedSeq + 1
                    $0.lastSeq = step.to.seq
                    $0.previousHash = step.to.checkedHash
                    $0.lastHash = step.to.hash
                    $0.oldest = rows.map(\.at).min() ?? 0
                    $0.newest = rows.map(\.at).max() ?? 0
                    $0.signedAt = 50
                    $0.keyID = "k1"
                    $0.signature = Data([1, 2, 3])
                }
                (step.to.checkedSeq, step.to.checkedHash, step.to.openSince) = (step.to.seq, step.to.hash, 0)
            }
            request.steps.append(step)
        }
        return request
    }
}
