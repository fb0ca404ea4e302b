// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// Removes the rows of whole segments that were kept long enough. Their checkpoints stay, with a signature that says when
/// the rows went, so that what is left can still be proved; that they went is an audit row of the same tenant.
struct AuditRetention: Sendable {
    private let caller: UnaryCaller
    private let storage: String
    private let signing: AuditSigning

    init(_ calls: any UnaryCalling, storage: String, keys: any KeySource, key: String) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        signing = AuditSigning(keys: keys, key: key)
    }

    /// Removes the oldest segment whose rows are all older than `time`; `then` gets its rows, or nil where there is none.
    func removeOne(
        olderThan time: Int64, at now: Int64, _ then: @escaping @Sendable (Result<Int64?, CallError>) -> Void
    ) {
        let request = SQLListCheckpointsRequest.with {
            $0.removableBefore = max(1, time)
            $0.limit = 1
        }
        caller.call(storage, "theatre.sql.v1.Audit/ListCheckpoints", request, .system) {
            (result: Result<SQLListCheckpointsResponse, CallError>) in
            switch result {
            case .success(let response):
                guard let checkpoint = response.checkpoints.first else { return then(.success(nil)) }
                remove(checkpoint, at: now, then)
            case .failure(let error): then(.failure(error))
            }
        }
    }

    private func remove(
        _ checkpoint: SQLAuditCheckpoint, at now: Int64, _ then: @escaping @Sendable (Result<Int64?, CallError>) -> Void
    ) {
        var checkpoint = checkpoint
        do throws(CallError) { try signing.signRemoval(&checkpoint, at: now) } catch { return then(.failure(error)) }
        let signed = checkpoint
        caller.call(
            storage, "theatre.sql.v1.Audit/RemoveSegment", SQLRemoveSegmentRequest.with { $0.checkpoint = signed },
            .system
        ) { (result: Result<SQLRemoveSegmentResponse, CallError>) in
            switch result {
            case .success(let response): note(signed, at: now) { then($0.map { response.removed }) }
            case .failure(let error): then(.failure(error))
            }
        }
    }

    private func note(
        _ checkpoint: SQLAuditCheckpoint, at now: Int64, _ then: @escaping @Sendable (Result<Void, CallError>) -> Void
    ) {
        let context = HostContext.with {
            $0.tenant = checkpoint.tenant
            $0.principal = "svc:retention"
            $0.principalKind = .system
            $0.route = "retention of segment \(checkpoint.segment)"
            $0.resource = "audit"
            $0.action = "remove_segment"
            $0.decision = "00-host.yaml"
            $0.audit = "change"
        }
        let request: SQLAppendAuditRequest
        do throws(CallError) {
            let bytes = try encoded(context)
            request = .with {
                $0.entries = [
                    .with {
                        $0.at = now
                        $0.context = Data(bytes)
                        $0.outcome = "changed"
                        $0.count = 1
                    }
                ]
            }
        } catch {
            return then(.failure(error))
        }
        caller.call(storage, "theatre.sql.v1.Database/AppendAudit", request, .system) {
            (result: Result<SQLAppendAuditResponse, CallError>) in then(result.map { _ in })
        }
    }
}
