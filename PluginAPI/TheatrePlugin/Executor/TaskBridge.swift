// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where calls become tasks: the one place of the SDK that starts any.
enum TaskBridge {
    /// Starts the work of a call. `inline`: on this thread until it first suspends, then on the executor.
    static func start(
        _ executor: PluginExecutor, inline: Bool, _ body: sending @escaping @isolated(any) () async -> Void
    ) -> Task<Void, Never> {
        if inline {
            Task.immediate(executorPreference: executor, operation: body)
        } else {
            Task(executorPreference: executor, operation: body)
        }
    }

    /// Runs asynchronous work for a control function, which waits for it.
    static func wait<Value: Sendable>(_ executor: PluginExecutor, _ body: @escaping @Sendable () async -> Value)
        -> Value
    {
        let latch = Latch<Value>()
        Task(executorPreference: executor) { latch.open(await body()) }
        return latch.wait()
    }
}
