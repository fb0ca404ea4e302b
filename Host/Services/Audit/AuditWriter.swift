// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Logging
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Stores audit rows that no commit carries: refusals, reads and what the operator of the machine changes, in batches,
/// at most one second of them lost by a kill.
public final class AuditWriter: Sendable {
    private let loop = ActionLoop(AuditBatches())
    private let caller: UnaryCaller
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let state = Mutex(State())

    private struct State {
        var batchWake: (any PendingWake)?
        var whenStopped: (@Sendable () -> Void)?
    }

    /// A writer to the storage instance `storage`.
    public convenience init(calls: any CallStarting, storage: String, clock: any ServiceClock, log: Logger) {
        self.init(DispatchedCalls(calls: calls), storage: storage, clock: clock, log: log)
    }

    init(_ calls: any UnaryCalling, storage: String, clock: any ServiceClock, log: Logger) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    /// Takes a row; on any thread, at once. Who calls holds a flood of refusals back.
    ///
    /// - Parameters:
    ///   - at: milliseconds since 1970.
    ///   - context: encoded theatre.host.v1.Context.
    ///   - outcome: refused, read, failed or changed.
    ///   - count: refusals that the row stands for.
    ///   - read: what it has in common with others; beyond ten alike of half a second the rest are counted in one row.
    public func append(
        at: Int64, context: [UInt8], outcome: String, reason: String, count: UInt32, read: AuditedRead? = nil
    ) {
        let row = AuditBatches.Row(at: at, context: context, outcome: outcome, reason: reason, count: count)
        loop.post(.row(row, read), perform)
    }

    /// Takes no more; `then` is called once everything is stored, or could not be.
    public func stop(_ then: @escaping @Sendable () -> Void) {
        let wake = state.withLock { state in
            state.whenStopped = then
            return state.batchWake
        }
        wake?.cancel()
        loop.post(.stop, perform)
    }

    /// Rows stored and dropped.
    public func metrics() -> [MetricFamily] {
        let (stored, dropped) = loop.read { ($0.storedRows, $0.dropped) }
        return [
            MetricFamily(
                "theatre_audit_rows_total", .counter, "Audit rows written outside of commits, by what became of them.",
                [
                    MetricSample(["outcome": "stored"], Double(stored)),
                    MetricSample(["outcome": "dropped"], Double(dropped)),
                ])
        ]
    }

    private func perform(_ action: AuditBatches.Action) {
        switch action {
        case .store(let rows): store(rows)
        case .wait(let milliseconds):
            let wake = clock.wake(after: milliseconds) { [weak self] in
                guard let self else { return }
                loop.post(.due, perform)
            }
            state.withLock { $0.batchWake = wake }
        case .stopped:
            let then = state.withLock { state in
                defer { state.whenStopped = nil }
                return state.whenStopped
            }
            then?()
        }
    }

    private func store(_ rows: [AuditBatches.Row]) {
        let request = SQLAppendAuditRequest.with { $0.entries = rows.map(SQLAuditEntry.init(_:)) }
        caller.call(storage, "theatre.sql.v1.Database/AppendAudit", request, .system) {
            [self] (result: Result<SQLAppendAuditResponse, CallError>) in
            switch result {
            case .success: loop.post(.stored(true), perform)
            case .failure(let error):
                log.error(
                    "audit rows cannot be stored",
                    metadata: ["rows": "\(rows.count)", "reason": "\(error.reason)", "message": "\(error.message)"])
                loop.post(.stored(false), perform)
            }
        }
    }
}

extension SQLAuditEntry {
    fileprivate init(_ row: AuditBatches.Row) {
        self.init()
        at = row.at
        context = Data(row.context)
        outcome = row.outcome
        reason = row.reason
        count = row.count
    }
}
