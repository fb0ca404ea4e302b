// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where calls become tasks: the one place of the SDK that starts any.
enum TaskBridge {
    /// Starts the task of a ``CallRunner``, which outlives the call it begins with and so inherits nothing from it.
    static func start(_ executor: PluginExecutor, _ body: nonisolated(nonsending) @escaping @Sendable () async -> Void)
        -> Task<Void, Never>
    {
        Task.detached(executorPreference: executor, operation: body)
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
