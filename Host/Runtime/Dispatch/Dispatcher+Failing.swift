// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Synchronization

extension Dispatcher {
    /// Ends, at once, every call of an instance whose process is gone: those it served fail with UNAVAILABLE
    /// `instance.crashed`, those it made are given up. Close the port first. Takes no lock.
    ///
    /// - Parameter cause: one clause, such as `was killed by SIGSEGV`.
    func fail(_ port: InstancePort, cause: String) {
        for index in 0..<table.capacity {
            guard let slot = table.slot(at: index) else { continue }
            let word = SlotWord(raw: slot.pointee.state.load(ordering: .acquiring))
            let id = UInt64(word.generation) << 32 | UInt64(index)
            switch word.phase {
            case .live:
                guard table.pin(id) != nil else { continue }
                fail(slot, id, port, cause)
                unpin(slot, id)
            case .orphan where slot.pointee.callee.load(ordering: .relaxed) == address(of: port):
                // Its caller was told; nobody else will end it.
                _ = finish(slot, id, Outcome.failure(Self.crashed(port, cause, effect: .unknown)))
            default: continue
            }
        }
    }

    private func fail(_ slot: SlotPointer, _ id: UInt64, _ port: InstancePort, _ cause: String) {
        if slot.pointee.callee.load(ordering: .relaxed) == address(of: port) {
            let hasEffect = slot.pointee.flags & THEATRE_CALL_SIDE_EFFECT != 0
            _ = finish(slot, id, Outcome.failure(Self.crashed(port, cause, effect: hasEffect ? .unknown : .none)))
        } else if slot.pointee.caller.load(ordering: .relaxed) == address(of: port) {
            tellCancelled(slot, id, THEATRE_CANCEL_CALLER)
        }
    }

    private static func crashed(_ port: InstancePort, _ cause: String, effect: CallError.Effect) -> CallError {
        CallError(
            .unavailable, "instance.crashed",
            "The process of instance \(port.identity.instance) \(cause) during the call.", effect: effect,
            retry: effect == .none ? .safe : .never)
    }
}
