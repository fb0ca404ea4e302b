// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization
internal import TheatrePlugin

/// An installed instance: its life cycle by hand.
public struct TestInstance: Sendable {
    let slot: TestSlot
    let control: PluginExecutor

    /// Its name.
    public var name: String { slot.name }

    /// CONFIGURED to READY.
    public func activate() async throws {
        try await run { error in
            guard let table = slot.table, let activate = table.pointee.activate else { return THEATRE_OK }
            return activate(table.pointee.`self`, &error)
        }
    }

    /// Proves the instance.
    public func selfTest() async throws {
        try await run { error in
            guard let table = slot.table, let selfTest = table.pointee.self_test else { return THEATRE_OK }
            return selfTest(table.pointee.`self`, &error)
        }
    }

    /// READY to DRAINING: new calls are UNAVAILABLE `plugin.draining`.
    public func deactivate() async throws {
        try await run { _ in
            if let table = slot.table { table.pointee.deactivate?(table.pointee.`self`) }
            return THEATRE_OK
        }
    }

    /// Drains and destroys the instance. Calls must have ended.
    public func stop() async throws {
        try await deactivate()
        try await run { _ in
            slot.core.state.withLock { $0.slots[slot.name] = nil }
            if let table = slot.table {
                slot.table = nil
                table.pointee.destroy?(table.pointee.`self`)
            }
            return THEATRE_OK
        }
    }

    /// A control call, on a thread that may wait.
    func run(_ body: @Sendable (inout theatre_error) -> theatre_code) async throws {
        try await withTaskExecutorPreference(control) {
            var error = theatre_error.sized
            let code = body(&error)
            if code != THEATRE_OK { throw PluginError(code: code, &error) }
        }
    }
}
