// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Chains committed audit rows and signs checkpoints; see the README beside this file.
///
/// Of several hosts on one database the one with the lease does so. The lease only keeps the others from working in vain:
/// a round is stored where each chain still stands where the round found it, or not at all.
public final class AuditSealer: Sendable {
    /// Rows in one round.
    static let page: UInt32 = 256
    /// Whoever has it seals.
    static let leaseName = "audit.sealer"

    private let loop = ActionLoop(SealerRounds())
    private let caller: UnaryCaller
    private let storage: String
    private let signing: AuditSigning
    private let clock: any ServiceClock
    private let log: Logger
    private let lease: Mutex<ConsumerLease?>
    private let state = Mutex(State())

    private struct State {
        var pending: (any PendingWake)?
        var rows = 0
        var checkpoints = 0
        var failures = 0
        var hasSaidUnsupported = false
        var whenStopped: (@Sendable () -> Void)?
    }

    /// A sealer over the storage instance `storage`.
    ///
    /// - Parameters:
    ///   - keys: where the key is that signs.
    ///   - key: its name.
    ///   - holder: this host among those on one database.
    public convenience init(
        calls: any CallStarting, storage: String, keys: any KeySource, key: String, clock: any ServiceClock,
        holder: String, log: Logger
    ) {
        self.init(
            DispatchedCalls(calls: calls), storage: storage, keys: keys, key: key, clock: clock, holder: holder,
            log: log)
    }

    init(
        _ calls: any UnaryCalling, storage: String, keys: any KeySource, key: String, clock: any ServiceClock,
        holder: String, log: Logger
    ) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        signing = AuditSigning(keys: keys, key: key)
        self.clock = clock
        self.log = log
        lease = Mutex(nil)
        let parts = EventParts(caller: caller, storage: storage, clock: clock, holder: holder, log: log)
        let own = ConsumerLease(Self.leaseName, parts) { [weak self] isOurs in
            guard let self else { return }
            loop.post(isOurs ? .granted : .revoked, perform)
        }
        lease.withLock { $0 = own }
    }

    /// Begins to ask for the lease.
    public func start() { lease.withLock { $0 }?.start() }

    /// Seals what is there, signs every open segment and gives the lease back; `then` is called once that is done, or could
    /// not be.
    public func stop(_ then: @escaping @Sendable () -> Void) {
        let pending = state.withLock { state in
            state.whenStopped = then
            return state.pending
        }
        pending?.cancel()
        loop.post(.stop, perform)
    }

    /// Rows sealed, checkpoints signed and rounds that failed.
    public func metrics() -> [MetricFamily] {
        let (rows, checkpoints, failures) = state.withLock { ($0.rows, $0.checkpoints, $0.failures) }
        return [
            MetricFamily(
                "theatre_audit_sealed_total", .counter, "Audit rows put into their tenant's chain by this host.",
                [MetricSample([:], Double(rows))]),
            MetricFamily(
                "theatre_audit_checkpoints_total", .counter, "Checkpoints of audit chains signed by this host.",
                [MetricSample([:], Double(checkpoints))]),
            MetricFamily(
                "theatre_audit_seal_failures_total", .counter, "Rounds of the audit sealer that could not be stored.",
                [MetricSample([:], Double(failures))]),
        ]
    }

    private func perform(_ action: SealerRounds.Action) {
        switch action {
        case .round(let endsAll): read(endsAll: endsAll)
        case .wait(let milliseconds):
            let wake = clock.wake(after: milliseconds) { [weak self] in
                guard let self else { return }
                loop.post(.due, perform)
            }
            state.withLock { $0.pending = wake }
        case .stopped:
            lease.withLock { $0 }?.stop()
            let then = state.withLock { state in
                defer { state.whenStopped = nil }
                return state.whenStopped
            }
            then?()
        }
    }

    private func read(endsAll: Bool) {
        let request = SQLReadUnsealedRequest.with {
            $0.limit = Self.page
            $0.openBefore = endsAll ? .max : clock.wall - ChainSealing.age
        }
        caller.call(storage, "theatre.sql.v1.Audit/ReadUnsealed", request, .system) {
            [self] (result: Result<SQLReadUnsealedResponse, CallError>) in
            switch result {
            case .success(let response): seal(response, endsAll: endsAll)
            case .failure(let error): failed(error)
            }
        }
    }

    private func seal(_ unsealed: SQLReadUnsealedResponse, endsAll: Bool) {
        let sealing = ChainSealing(now: clock.wall, endsAll: endsAll, sign: signing.sign)
        let request: SQLSealRequest
        do throws(CallError) {
            let steps = try sealing.steps(unsealed.rows, unsealed.chains)
            request = .with {
                $0.fencingToken = lease.withLock { $0 }?.token ?? 0
                $0.steps = steps
            }
        } catch {
            return failed(error)
        }
        let rows = request.steps.reduce(0) { $0 + $1.rows.count }
        let more = unsealed.rows.count >= Int(Self.page) || rows < unsealed.rows.count
        guard !request.steps.isEmpty else { return loop.post(.sealed(more: false), perform) }
        let checkpoints = request.steps.count { $0.hasCheckpoint }
        caller.call(storage, "theatre.sql.v1.Audit/Seal", request, .system) {
            [self] (result: Result<SQLSealResponse, CallError>) in
            switch result {
            case .success:
                state.withLock { state in
                    state.rows += rows
                    state.checkpoints += checkpoints
                }
                loop.post(.sealed(more: more), perform)
            case .failure(let error): failed(error)
            }
        }
    }

    private func failed(_ error: CallError) {
        if error.reason == "sql.audit_moved" { return loop.post(.moved, perform) }
        guard error.code != .unimplemented else {
            let isFirst = state.withLock { state in
                defer { state.hasSaidUnsupported = true }
                return !state.hasSaidUnsupported
            }
            if isFirst { log.notice("this storage chains no audit rows", metadata: error.metadata) }
            return loop.post(.unsupported, perform)
        }
        state.withLock { $0.failures += 1 }
        log.error("audit rows cannot be sealed", metadata: error.metadata)
        loop.post(.failed, perform)
    }
}
