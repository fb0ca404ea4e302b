// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// A task that serves one call after another, because making a task costs more than the rest of a call.
///
/// What a call leaves on its task is nothing: task-local values are scoped, and a cancelled runner serves no other.
///
/// Unchecked: `call`, `last` and `parked` belong to whoever holds the runner, which is its task until it parks, and then
/// the thread that takes it out of the table. So access to them is exclusive without being checked.
final class CallRunner: @unchecked Sendable {
    private struct Cancelling {
        var task: Task<Void, Never>?
        var isAskedFor = false
    }

    /// Where it waits.
    private let table: ServedTable
    /// Whose calls it takes without waiting; nil for an `inline` instance, whose calls come with their threads.
    private let executor: PluginExecutor?
    @exclusivity(unchecked) private var call: ServedCall?
    /// The call it served last.
    @exclusivity(unchecked) private var last: theatre_id = 0
    @exclusivity(unchecked) private var parked: UnsafeContinuation<Void, Never>?
    private let cancelling = Mutex(Cancelling())

    init(_ instance: PluginInstance) {
        table = instance.served
        executor = instance.runsInline ? nil : instance.executor
    }

    /// Serves a call with a runner that was just made, or that was parked: on this thread, until it waits.
    func serve(_ call: ServedCall) {
        prepare(call)
        if let parked {
            self.parked = nil
            StartHere.start { parked.resume() }
        } else {
            let executor = call.instance._withUnsafeGuaranteedRef { $0.executor }
            adopt(StartHere.start { TaskBridge.start(executor) { await self.run() } })
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

    private func prepare(_ call: consuming ServedCall) {
        call.begin(with: self)
        self.call = call
    }

    /// Has the call it holds served, and what follows.
    private nonisolated(nonsending) func run() async {
        while let handler = call?.handler { await handler.serve(handler.provider, self) }
    }

    // MARK: What a handler does with its runner

    /// The call to serve.
    func take() -> ServedCall? {
        defer { call = nil }
        return call
    }

    /// The call is answered. False where the task is cancelled, or about to be, and serves no other.
    func isDone(_ call: ServedCall) -> Bool {
        last = call.id
        return !call.isCancelled
    }

    /// Takes the next call of the queue; false where there is none.
    func goOn() -> Bool {
        guard let record = executor?.nextCall() else { return false }
        prepare(PluginInstance.register(record))
        return true
    }

    /// Waits for a call, or to end.
    func park(_ continuation: UnsafeContinuation<Void, Never>) {
        parked = continuation
        if !table.park(self, after: last) { end() }
    }

    /// Whether the call to serve is one of this handler.
    func holds(_ provider: any AnyObject & Sendable) -> Bool {
        call?.isServed(by: ObjectIdentifier(provider)) ?? false
    }
}
