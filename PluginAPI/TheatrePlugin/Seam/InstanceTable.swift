// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin

/// The C table of an instance: functions that find the Swift object in `self` and pass on.
package enum InstanceTable {
    /// Allocates the table. `destroy` frees it and lets go of the instance.
    package static func allocate(_ instance: PluginInstance) -> UnsafeMutablePointer<theatre_instance> {
        let pointer = UnsafeMutablePointer<theatre_instance>.allocate(capacity: 1)
        var table = theatre_instance.sized
        table.`self` = Unmanaged.passRetained(Handle(InstanceKeeper(instance), pointer)).toOpaque()
        table.activate = { find($0)?.activate($1) ?? THEATRE_INVALID_ARGUMENT }
        table.self_test = { find($0)?.selfTest($1) ?? THEATRE_INVALID_ARGUMENT }
        table.invoke = { object, request in
            guard let object, let request else { return THEATRE_INVALID_ARGUMENT }
            // The host keeps the instance: to count it here would be felt by all who do at once.
            return Unmanaged<Handle>.fromOpaque(object)._withUnsafeGuaranteedRef {
                $0.instance.invoke(theatre_request(reading: request))
            }
        }
        table.reply = { object, id, result in
            guard let instance = find(object), let result else { return THEATRE_INVALID_ARGUMENT }
            return instance.reply(id, theatre_result(reading: result))
        }
        table.send = { object, id, chunk in
            guard let instance = find(object), let chunk else { return THEATRE_INVALID_ARGUMENT }
            return instance.send(id, theatre_chunk(reading: chunk))
        }
        table.credit = { find($0)?.credit($1, $2) }
        table.cancel = { object, id, _ in find(object)?.cancel(id) }
        table.deactivate = { find($0)?.deactivate() }
        table.destroy = { object in
            guard let object else { return }
            let handle = Unmanaged<Handle>.fromOpaque(object).takeRetainedValue()
            handle.instance.destroy()
            handle.table.deallocate()
        }
        pointer.initialize(to: table)
        return pointer
    }
}

@inline(__always)
private func find(_ object: UnsafeMutableRawPointer?) -> PluginInstance? {
    guard let object else { return nil }
    return Unmanaged<Handle>.fromOpaque(object).takeUnretainedValue().instance
}

/// What `self` refers to.
private final class Handle {
    let instance: PluginInstance
    let table: UnsafeMutablePointer<theatre_instance>
    private let keeper: InstanceKeeper

    init(_ keeper: InstanceKeeper, _ table: UnsafeMutablePointer<theatre_instance>) {
        instance = keeper.instance
        self.keeper = keeper
        self.table = table
    }
}
