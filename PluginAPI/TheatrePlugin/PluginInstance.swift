// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin
internal import Synchronization
internal import TheatreContracts

/// One live instance behind the seam: the calls it serves, the calls it made, its threads.
package final class PluginInstance: Sendable {
    /// The plugin's own part of the life cycle.
    package struct Lifecycle: Sendable {
        var activate: @Sendable () async throws -> Void = {}
        var selfTest: @Sendable () async throws -> Void = {}
        var deactivate: @Sendable () async -> Void = {}
    }

    package let connection: HostConnection
    let executor: PluginExecutor
    let runsInline: Bool
    let served = ServedTable()
    let lifecycle: Lifecycle
    /// Set before any call comes.
    nonisolated(unsafe) var keeper: Unmanaged<InstanceKeeper>?
    /// Plain memory, so that to look into it counts nothing; only read.
    nonisolated(unsafe) let handlers: UnsafeMutableBufferPointer<OperationHandler>
    private let lastError = Mutex<ErrorBytes?>(nil)

    package init(
        _ connection: HostConnection, executor: PluginExecutor, runsInline: Bool, handlers: [OperationHandler],
        lifecycle: Lifecycle = Lifecycle()
    ) {
        self.connection = connection
        self.executor = executor
        self.runsInline = runsInline
        self.handlers = .allocate(capacity: handlers.count)
        _ = self.handlers.initialize(fromContentsOf: handlers)
        self.lifecycle = lifecycle
    }

    deinit {
        handlers.deinitialize()
        handlers.deallocate()
    }

    // MARK: What the host does with calls

    func invoke(_ request: theatre_request) -> theatre_code {
        guard request.call != 0 else { return THEATRE_INVALID_ARGUMENT }
        guard Int(request.operation) < handlers.count else {
            refuse(
                request.call,
                PluginError(
                    .unimplemented, "plugin.unknown_operation",
                    "Operation \(request.operation) is not in the manifest, which has \(handlers.count)."))
            return THEATRE_OK
        }
        serve(request)
        return THEATRE_OK
    }

    func reply(_ id: theatre_id, _ result: theatre_result) -> theatre_code { connection.reply(id, result) }

    func send(_ id: theatre_id, _ chunk: theatre_chunk) -> theatre_code {
        guard let call = served.call(id) else { return connection.chunk(id, chunk) }
        return call.inbound?.deliver(chunk) ?? THEATRE_FAILED_PRECONDITION
    }

    func credit(_ id: theatre_id, _ bytes: UInt64) {
        guard let call = served.call(id) else { return connection.credit(id, bytes) }
        call.outbound?.grant(bytes)
    }

    func cancel(_ id: theatre_id) {
        if !runsInline, let keeper, executor.cancel(id, of: keeper) { return }
        served.cancel(id)?.cancel()
    }

    // MARK: Life cycle

    func activate(_ error: UnsafeMutablePointer<theatre_error>?) -> theatre_code { control(lifecycle.activate, error) }

    func selfTest(_ error: UnsafeMutablePointer<theatre_error>?) -> theatre_code { control(lifecycle.selfTest, error) }

    func deactivate() {
        served.drain()
        TaskBridge.wait(executor, lifecycle.deactivate)
    }

    package func destroy() {
        connection.close()
        served.close()
        executor.close()
    }

    private func control(
        _ body: @escaping @Sendable () async throws -> Void, _ target: UnsafeMutablePointer<theatre_error>?
    ) -> theatre_code {
        let failure = TaskBridge.wait(executor) { () async -> PluginError? in
            do {
                try await body()
                return nil
            } catch {
                return PluginError(any: error)
            }
        }
        guard let failure else { return THEATRE_OK }
        let bytes = ErrorBytes(failure)
        if let target { bytes.fill(target) }
        // The bytes stay valid until the next control call.
        lastError.withLock { $0 = bytes }
        return failure.code.rawValue
    }
}

extension PluginInstance {
    /// An instance that no library made: what a test calls with, or a fake that serves `handlers`.
    ///
    /// - Parameter resolve: gives every name its index, since there is no manifest.
    package convenience init?(
        testing host: UnsafePointer<theatre_host>, name: String, executor: PluginExecutor, handlers: [OperationHandler],
        resolve: @escaping @Sendable (String) -> UInt32?
    ) {
        guard let table = HostTable(host) else { return nil }
        let connection = HostConnection(
            table, instance: name, generation: 1, environment: HostEnvironment(), names: CallNames([], resolve: resolve)
        )
        self.init(connection, executor: executor, runsInline: false, handlers: handlers)
    }
}
