// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// A task that serves one call after another, because making a task costs more than the rest of a call.
///
/// What a call leaves on its task is nothing: task-local values are scoped, and a cancelled runner serves no other.
///
/// Unchecked: `call`, `work` and `parked` belong to whoever holds the runner, which is its task until it parks, and
/// then the thread that takes it out of the table. So access to them is exclusive without being checked.
final class CallRunner: @unchecked Sendable {
    typealias Work = nonisolated(nonsending) @Sendable () async -> Void

    private struct Cancelling {
        var task: Task<Void, Never>?
        var isAskedFor = false
    }

    @exclusivity(unchecked) private var call: ServedCall?
    @exclusivity(unchecked) private var work: Work?
    @exclusivity(unchecked) private var parked: UnsafeContinuation<Void, Never>?
    private let cancelling = Mutex(Cancelling())

    /// Serves a call with a runner that was just made, or that was parked.
    func serve(_ call: ServedCall, _ work: @escaping Work) {
        let instance = call.instance
        self.call = call
        self.work = work
        if let parked {
            self.parked = nil
            StartHere.start(if: instance.runsInline) { parked.resume() }
        } else {
            let table = instance.served
            adopt(
                StartHere.start(if: instance.runsInline) {
                    TaskBridge.start(instance.executor) { await self.run(table) }
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

    /// The call that was served; nil where there was none, or where the task is cancelled or about to be.
    private nonisolated(nonsending) func serveNext() async -> theatre_id? {
        guard let work, let call else { return nil }
        self.work = nil
        self.call = nil
        await work()
        return call.isCancelled ? nil : call.id
    }

    private nonisolated(nonsending) func run(_ table: ServedTable) async {
        while let id = await serveNext() {
            await withUnsafeContinuation { continuation in
                parked = continuation
                if !table.park(self, after: id) { end() }
            }
        }
    }
}
