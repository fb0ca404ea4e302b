// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// Calls while one generation of an instance takes over from another.
extension Dispatcher {
    /// Off the hot path: whether a port that gives way still serves calls of this table.
    @inline(never)
    func stillServes(_ core: CorePointer, _ table: Unmanaged<DispatchTable>) -> Bool {
        core.port.serves(callsOf: table)
    }

    /// Off the hot path: sends a call to whoever serves in place of a port that does not any more.
    @inline(never)
    func launchElsewhere(
        _ launch: borrowing Launch, key: UnsafeRawBufferPointer, insteadOf core: CorePointer, _ operation: UInt32,
        _ table: Unmanaged<DispatchTable>
    ) throws(CallError) -> UInt64 {
        let (next, operation) = try successor(of: core.port, operation, in: table)
        return try self.launch(launch, key: key, on: next.core, operation)
    }

    /// Who serves an operation in place of a port that does not any more; throws why nobody does.
    ///
    /// The generation in the call's own table comes first where it serves, so that a request stays with one.
    func successor(
        of port: InstancePort, _ operation: UInt32, in table: Unmanaged<DispatchTable>
    ) throws(CallError) -> (InstancePort, UInt32) {
        let name = port.identity.instance
        let own = table.takeUnretainedValue().ports[name]
        let current = serving
        // It may have been replaced in its turn by now.
        let isOwn = own !== port && own?.refusal == nil
        let next = isOwn ? own ?? current.ports[name] : current.ports[name]
        guard let next, next !== port, next.refusal == nil else {
            guard serving === current else { return try successor(of: port, operation, in: table) }
            throw port.whyClosed()
        }
        guard let index = next.operation(named: port.operations[Int(operation)].name) else {
            throw CallError(
                .unimplemented, "instance.no_operation",
                "Instance \(name) of plugin \(next.identity.plugin) no longer provides \(port.operations[Int(operation)].name)."
            )
        }
        return (next, index)
    }

    /// Whether a call that began before the table of this number is still served or made by one of `instances`. Takes no
    /// lock.
    func hasCalls(before number: Int, among instances: Set<String>) -> Bool {
        for index in 0..<table.capacity {
            guard let slot = table.slot(at: index) else { continue }
            let word = SlotWord(raw: slot.pointee.state.load(ordering: .sequentiallyConsistent))
            guard word.phase != .free, let began = slot.pointee.table.load(ordering: .relaxed) else { continue }
            let callee = slot.pointee.callee.load(ordering: .relaxed)
            let holder = port(at: callee != 0 ? callee : slot.pointee.caller.load(ordering: .relaxed))
            let isSame =
                SlotWord(raw: slot.pointee.state.load(ordering: .sequentiallyConsistent)).generation == word.generation
            guard isSame, let holder, instances.contains(holder.identity.instance) else { continue }
            if began._withUnsafeGuaranteedRef({ $0.number.load(ordering: .relaxed) }) < number { return true }
        }
        return false
    }
}
