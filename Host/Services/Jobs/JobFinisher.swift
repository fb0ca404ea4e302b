// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime
internal import Synchronization
internal import TheatreContracts

/// Tells the store how runs ended, many in a call.
final class JobFinisher: Sendable {
    private let loop = ActionLoop(FinishBatches())
    private let caller: UnaryCaller
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let told = Mutex<(next: Int, runs: [Int: @Sendable ([String]) -> Void])>((1, [:]))

    init(_ caller: UnaryCaller, _ storage: String, _ clock: any ServiceClock, _ log: Logger) {
        self.caller = caller
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    /// A number for one who is told which of its jobs are settled.
    func register(_ settled: @escaping @Sendable ([String]) -> Void) -> Int {
        told.withLock { told in
            defer { told.next += 1 }
            told.runs[told.next] = settled
            return told.next
        }
    }

    /// Tells it no more.
    func unregister(_ run: Int) { told.withLock { $0.runs[run] = nil } }

    func settle(_ outcome: JobsJobOutcome, for run: Int) {
        loop.post(.add(FinishBatches.Entry(outcome: outcome, run: run)), perform)
    }

    private func perform(_ action: FinishBatches.Action) {
        switch action {
        case .send(let entries): send(entries)
        case .settled(let entries):
            for (run, entries) in Dictionary(grouping: entries, by: \.run) {
                told.withLock { $0.runs[run] }?(entries.map(\.outcome.jobID))
            }
        case .giveUp(let count):
            log.error("how jobs ended cannot be stored; they run again", metadata: ["jobs": "\(count)"])
        case .wait(let milliseconds):
            _ = clock.wake(after: milliseconds) { [weak self] in
                guard let self else { return }
                loop.post(.again, perform)
            }
        }
    }

    private func send(_ entries: [FinishBatches.Entry]) {
        var request = JobsFinishRequest()
        request.outcomes = entries.map(\.outcome)
        caller.call(storage, "theatre.jobs.v1.Queue/Finish", request, .system) {
            [self] (result: Result<JobsFinishResponse, CallError>) in
            switch result {
            case .success: loop.post(.stored, perform)
            case .failure(let error):
                log.warning("how jobs ended cannot be stored yet", metadata: error.metadata)
                loop.post(.failed, perform)
            }
        }
    }
}
