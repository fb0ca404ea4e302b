// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// theatre.sql.v1.Audit.
extension PostgreSQL: SQLAuditContract {
    func readUnsealed(_ request: SQLReadUnsealedRequest, _ call: Call) async throws -> SQLReadUnsealedResponse {
        try await serving(call) { engine, _ in try await engine.look(AuditRows.readUnsealed(request)) }
    }

    func seal(_ request: SQLSealRequest, _ call: Call) async throws -> SQLSealResponse {
        try await serving(call) { engine, _ in try await engine.write(AuditRows.seal(request)) }
    }

    func searchAudit(_ request: SQLSearchAuditRequest, _ call: Call) async throws -> SQLSearchAuditResponse {
        try await serving(call) { engine, _ in try await engine.look(AuditRows.search(request)) }
    }

    func listChains(_ request: SQLListChainsRequest, _ call: Call) async throws -> SQLListChainsResponse {
        try await serving(call) { engine, _ in try await engine.look(AuditRows.listChains(request)) }
    }

    func readChain(_ request: SQLReadChainRequest, _ call: Call) async throws -> SQLReadChainResponse {
        try await serving(call) { engine, _ in try await engine.look(AuditRows.readChain(request)) }
    }

    func listCheckpoints(_ request: SQLListCheckpointsRequest, _ call: Call) async throws -> SQLListCheckpointsResponse
    {
        try await serving(call) { engine, _ in
            try await engine.look(AuditRows.listCheckpoints(request))
        }
    }

    func removeSegment(_ request: SQLRemoveSegmentRequest, _ call: Call) async throws -> SQLRemoveSegmentResponse {
        try await serving(call) { engine, _ in
            try await engine.write(AuditRows.removeSegment(request))
        }
    }
}
