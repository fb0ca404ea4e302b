// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where every call of one index of one caller goes.
struct FixedRoute {
    /// nil where the routing is asked call by call.
    var callee: CorePointer?
    var operation: UInt32 = 0
    /// What the callee's context says of the caller and the profile.
    var field = UnsafeRawBufferPointer(start: nil, count: 0)
}

/// The routes of a table that do not depend on the call, by the caller's number and the index of its call.
final class FixedRoutes: @unchecked Sendable {
    // Written in init, freed in deinit.
    private let rows: UnsafeMutablePointer<UnsafeMutablePointer<FixedRoute>?>
    private let count: Int
    private var fields: [UnsafeRawBufferPointer] = []

    init(ports: [String: InstancePort], routing: (any Routing)?) {
        count = (ports.values.map { $0.core.pointee.number }.max() ?? -1) + 1
        rows = .allocate(capacity: max(1, count))
        rows.initialize(repeating: nil, count: max(1, count))
        guard let routing else { return }
        for port in ports.values where !port.calls.isEmpty {
            let row = UnsafeMutablePointer<FixedRoute>.allocate(capacity: port.calls.count)
            for index in port.calls.indices { (row + index).initialize(to: route(port, index, routing)) }
            rows[port.core.pointee.number] = row
        }
    }

    deinit {
        for index in 0..<count { rows[index]?.deallocate() }
        rows.deallocate()
        for field in fields { field.deallocate() }
    }

    private func route(_ caller: InstancePort, _ call: Int, _ routing: any Routing) -> FixedRoute {
        guard case .feature = caller.calls[call].target, let candidate = routing.fixed(caller: caller, call: call)
        else {
            return FixedRoute()
        }
        var field = caller.core.pointee.callerField
        if !candidate.context.isEmpty {
            field = keptCopy(candidate.context)
            fields.append(field)
        }
        return FixedRoute(callee: candidate.port.core, operation: candidate.operation, field: field)
    }

    @inline(__always)
    func route(_ caller: Int, _ call: UInt32) -> UnsafeMutablePointer<FixedRoute>? {
        guard caller < count, let row = rows[caller], row[Int(call)].callee != nil else { return nil }
        return row + Int(call)
    }
}
