// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A task that serves one call after another, because making a task costs more than the rest of a call.
///
/// What a call leaves on its task is nothing: task-local values are scoped, and a cancelled runner serves no other.
///
/// Unchecked: `call`, `work` and `parked` belong to whoever holds the runner, which is its task until it parks, and then the
/// thread that takes it out of the lot.
final class CallRunner: @unchecked Sendable {
    private struct Cancelling {
        var task: Task<Void, Never>?
        var isAskedFor = false
    }

    private var call: ServedCall?
    private var work: (@Sendable () async -> Void)?
    private var parked: UnsafeContinuation<Void, Never>?
    private let cancelling = Mutex(Cancelling())

    /// Serves a call with a runner that was just made, or that was taken out of its lot.
    func serve(_ call: ServedCall, _ work: @escaping @Sendable () async -> Void) {
        let instance = call.instance
        self.call = call
        self.work = work
        if let parked {
            self.parked = nil
            StartHere.start(if: instance.runsInline) { parked.resume() }
        } else {
            let lot = instance.runners
            adopt(
                StartHere.start(if: instance.runsInline) {
                    TaskBridge.start(instance.executor) { await self.run(lot) }
                })
        }
    }

    /// Wakes a parked runner to its end.
    func end() {
        let continuation = parked
        parked = nil
        continuation?.resume()
    }

    /// Cancels the task, which serves no call after this one.
    func cancel() {
        let task = cancelling.withLock { cancelling in
            cancelling.isAskedFor = true
            return cancelling.task
        }
        task?.cancel()
    }

    private func adopt(_ task: Task<Void, Never>) {
        let isLate = cancelling.withLock { cancelling in
            cancelling.task = task
            return cancelling.isAskedFor
        }
        if isLate { task.cancel() }
    }

    /// False where there was nothing to serve, or where the task is cancelled or about to be.
    private func serveNext() async -> Bool {
        guard let work, let call else { return false }
        self.work = nil
        self.call = nil
        await work()
        return !call.isCancelled
    }

    private func run(_ lot: RunnerLot) async {
        while await serveNext() {
            await withUnsafeContinuation { continuation in
                parked = continuation
                if !lot.add(self) { end() }
            }
        }
    }
}

/// The runners of an instance that wait for a call.
final class RunnerLot: Sendable {
    /// What a burst leaves behind is kept up to this many.
    private static let most = 128

    private struct State {
        var runners: [CallRunner] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// A runner for one call.
    func take() -> CallRunner { state.withLock { $0.runners.popLast() } ?? CallRunner() }

    /// Takes a parked runner in; false where it is to end.
    func add(_ runner: CallRunner) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.runners.count < Self.most else { return false }
            state.runners.append(runner)
            return true
        }
    }

    /// Ends those that wait, and those that come.
    func close() {
        let runners = state.withLock { state in
            defer { state.runners = [] }
            state.isClosed = true
            return state.runners
        }
        for runner in runners { runner.end() }
    }
}
