// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Stores what calls to those outside used, in batches: at most a second of it is lost by a kill.
public final class UsageRecorder: CallMeter {
    private let loop = ActionLoop(RowBatches<UsageRow>(largest: 128))
    private let caller: UnaryCaller
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let state = Mutex(State())

    private struct State {
        var wake: (any PendingWake)?
        var whenStopped: (@Sendable () -> Void)?
        var number: UInt64 = 0
        let run = UInt64.random(in: 0...UInt64.max)
    }

    /// A recorder to the storage instance `storage`.
    public convenience init(calls: any CallStarting, storage: String, clock: any ServiceClock, log: Logger) {
        self.init(DispatchedCalls(calls: calls), storage: storage, clock: clock, log: log)
    }

    init(_ calls: any UnaryCalling, storage: String, clock: any ServiceClock, log: Logger) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    /// Takes a call; on any thread, at once.
    public func record(_ call: MeteredCall) {
        let id = state.withLock { state in
            state.number += 1
            return "use_\(String(state.run, radix: 36))_\(String(state.number, radix: 36))"
        }
        loop.post(.row(UsageRow(call, id: id)), perform)
    }

    /// Takes no more; `then` is called once everything is stored, or could not be.
    public func stop(_ then: @escaping @Sendable () -> Void) {
        let wake = state.withLock { state in
            state.whenStopped = then
            return state.wake
        }
        wake?.cancel()
        loop.post(.stop, perform)
    }

    /// Rows stored and dropped.
    public func metrics() -> [MetricFamily] {
        let (stored, dropped) = loop.read { ($0.stored, $0.dropped) }
        return [
            MetricFamily(
                "theatre_usage_rows_total", .counter, "Calls to those outside, by what became of their rows.",
                [
                    MetricSample(["outcome": "stored"], Double(stored)),
                    MetricSample(["outcome": "dropped"], Double(dropped)),
                ])
        ]
    }

    private func perform(_ action: RowBatches<UsageRow>.Action) {
        switch action {
        case .store(let rows): store(rows)
        case .wait(let milliseconds):
            let wake = clock.wake(after: milliseconds) { [weak self] in
                guard let self else { return }
                loop.post(.due, perform)
            }
            state.withLock { $0.wake = wake }
        case .stopped:
            let then = state.withLock { state in
                defer { state.whenStopped = nil }
                return state.whenStopped
            }
            then?()
        }
    }

    private func store(_ rows: [UsageRow]) {
        let request = SQLCommitRequest.with { $0.statements = rows.flatMap(\.statements) }
        caller.call(storage, "theatre.sql.v1.Database/Commit", request, .system) {
            [self] (result: Result<SQLCommitResponse, CallError>) in
            if case .failure(let error) = result {
                log.error(
                    "what calls used cannot be stored",
                    metadata: ["rows": "\(rows.count)", "reason": "\(error.reason)", "message": "\(error.message)"])
            }
            switch result {
            case .success: loop.post(.stored(true), perform)
            case .failure: loop.post(.stored(false), perform)
            }
        }
    }
}
