// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

/// What the way of a call reads of an ``InstancePort``, in plain memory, so that following it counts no references.
///
/// It lives as long as its port, which lives as long as the dispatcher.
struct PortCore: ~Copyable {
    let port: Unmanaged<InstancePort>
    let dispatcher: Unmanaged<Dispatcher>
    /// Its place among the dispatcher's ports.
    let number: Int
    /// Written once, before `isAttached`.
    let instance: UnsafeMutablePointer<theatre_instance>
    let facts: UnsafeMutablePointer<OperationFacts>
    let callFacts: UnsafeMutablePointer<OperationFacts>
    let callCount: UInt32
    let cells: MetricCells
    let callCells: MetricCells
    /// Of its operations and of its calls, for spans; counted here.
    let names: UnsafeMutablePointer<Unmanaged<SpanName>>
    let callNames: UnsafeMutablePointer<Unmanaged<SpanName>>
    let maxConcurrency: Int
    /// What a callee's context says of this instance as its caller.
    let callerField: UnsafeRawBufferPointer

    let isAttached = Atomic<Bool>(false)
    let state = Atomic<UInt8>(InstancePort.State.preparing.rawValue)
    let load = Atomic<UInt64>(0)
    let preview = Atomic<Unmanaged<DispatchTable>?>(nil)
}

/// `PortCore.load`: two counts in one word, so that a call that begins adds to both at once.
struct PortLoad {
    /// One slot that may still lead to a call into the instance.
    static let outstanding: UInt64 = 1
    /// One call whose caller waits.
    static let inFlight: UInt64 = 1 << 32

    var raw: UInt64

    var outstanding: Int { Int(raw & 0xffff_ffff) }
    var inFlight: Int { Int(raw >> 32) }
}

typealias CorePointer = UnsafeMutablePointer<PortCore>

extension UnsafeMutablePointer<PortCore> {
    /// As slots hold it.
    @inline(__always)
    var address: UInt { UInt(bitPattern: self) }

    /// The port; counts a reference.
    var port: InstancePort { pointee.port.takeUnretainedValue() }

    /// Drops what kept the port from being drained.
    @inline(__always)
    func release() {
        let (_, left) = pointee.load.wrappingSubtract(PortLoad.outstanding, ordering: .acquiringAndReleasing)
        guard PortLoad(raw: left).outstanding == 0,
            pointee.state.load(ordering: .sequentiallyConsistent) == InstancePort.State.closed.rawValue
        else { return }
        port.tellDrained()
    }
}

/// A copy of bytes that lives until it is freed.
func keptCopy(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    copy.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(copy)
}
