// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// The job that has every data key wrapped by the current master key, those of secrets and those of persons.
///
/// Each is a commit of its own with its audit row: stopped at any point and begun again, it goes on with what is left.
/// The values are not touched. One that cannot be unwrapped holds up no other; the job is dead then, with why.
struct SecretRewrap: Sendable {
    /// What the host itself works off.
    static let queue = "secrets"
    private static let kind = "secrets.rewrap"

    /// The job; while one waits or runs, there is no other.
    static var job: JobsNewJob {
        .with {
            $0.queue = queue
            $0.kind = kind
            $0.uniqueKey = "rewrap"
        }
    }

    private let shelf: SecretShelf

    init(_ calls: any UnaryCalling, storage: String, keySource: String) {
        shelf = SecretShelf(caller: UnaryCaller(calls: calls), storage: storage, keySource: keySource)
    }

    /// Runs it; `then` comes exactly once, on any thread.
    ///
    /// - Parameters:
    ///   - deadline: on the host's monotonic clock; what is not done by then is done at the next run.
    ///   - isWanted: asked before each.
    func run(
        _ job: JobsJob, deadline: UInt64, isWanted: @escaping @Sendable () -> Bool,
        _ then: @escaping @Sendable (Result<[UInt8], CallError>) -> Void
    ) {
        shelf.currentKeyVersion(deadline) { result in
            do throws(CallError) {
                let round = Round(
                    shelf: shelf, current: try result.get(), job: job, deadline: deadline, isWanted: isWanted, then)
                round.next(after: nil)
            } catch {
                then(.failure(error))
            }
        }
    }

    /// One run: page by page, one row after the other.
    private final class Round: Sendable {
        private struct State {
            var rest: [WrappedKey] = []
            var done = 0
            var failed = 0
            var first: CallError?
        }

        private let shelf: SecretShelf
        private let current: String
        private let job: JobsJob
        private let deadline: UInt64
        private let isWanted: @Sendable () -> Bool
        private let then: @Sendable (Result<[UInt8], CallError>) -> Void
        private let state = Mutex(State())
        /// Rows come one after the other, however quickly they are done: no row is handled inside the one before.
        private let loop = ActionLoop(Steps())

        init(
            shelf: SecretShelf, current: String, job: JobsJob, deadline: UInt64,
            isWanted: @escaping @Sendable () -> Bool,
            _ then: @escaping @Sendable (Result<[UInt8], CallError>) -> Void
        ) {
            self.shelf = shelf
            self.current = current
            self.job = job
            self.deadline = deadline
            self.isWanted = isWanted
            self.then = then
        }

        func next(after last: WrappedKey?) {
            loop.post(.go(last)) { [self] last in step(after: last) }
        }

        private func step(after last: WrappedKey?) {
            guard isWanted() else {
                return then(
                    .failure(CallError(.cancelled, "secrets.rewrap_stopped", "The rewrap goes on at the next run.")))
            }
            let row = state.withLock { $0.rest.isEmpty ? nil : $0.rest.removeFirst() }
            if let row { return rewrap(row) }
            shelf.outdated(current, after: last, deadline) { [self] result in
                switch result {
                case .failure(let error): then(.failure(error))
                case .success(let rows) where rows.isEmpty: end()
                case .success(let rows):
                    state.withLock { $0.rest = rows }
                    next(after: last)
                }
            }
        }

        private func rewrap(_ row: WrappedKey) {
            shelf.rewrap(row, deadline) { [self] result in
                switch result {
                case .failure(let error): failed(row, error)
                case .success(let wrapped):
                    let request = row.rewrapped(wrapped.wrapped, by: wrapped.version)
                    shelf.commit(request, context(row), deadline) { [self] result in
                        if case .failure(let error) = result { return failed(row, error) }
                        state.withLock { $0.done += 1 }
                        next(after: row)
                    }
                }
            }
        }

        /// What cannot be reached fails the run, which is repeated; what is wrong with one secret does not.
        private func failed(_ row: WrappedKey, _ error: CallError) {
            guard [.failedPrecondition, .invalidArgument, .dataLoss].contains(error.code) else {
                return then(.failure(error))
            }
            state.withLock { state in
                state.failed += 1
                state.first = state.first ?? error
            }
            next(after: row)
        }

        private func end() {
            let state = state.withLock { $0 }
            if let error = state.first {
                let words =
                    "\(state.done) data keys are wrapped by \(current), \(state.failed) are not: \(error.message)"
                return then(.failure(CallError(error.code, error.reason, words)))
            }
            let result = JobsRunResponse.with {
                $0.result = Data(#"{"key_version":"\#(current)","wrapped":\#(state.done)}"#.utf8)
            }
            do throws(CallError) { then(.success(try encoded(result))) } catch { then(.failure(error)) }
        }

        private func context(_ row: WrappedKey) -> CallContext {
            CallContext(
                HostContext.with {
                    row.describe(in: &$0)
                    $0.principal = job.principal
                    $0.principalKind = .system
                    $0.route = "job secrets.rewrap"
                    $0.action = "rewrap"
                    $0.decision = "job \(job.jobID)"
                    $0.audit = "change"
                    $0.traceparent = job.traceparent
                })
        }
    }

    /// Hands inputs on, one at a time.
    private struct Steps: ActionState {
        enum Input: Sendable { case go(WrappedKey?) }

        mutating func handle(_ input: Input) -> [WrappedKey?] {
            switch input {
            case .go(let row): [row]
            }
        }
    }
}
