// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// The calls an instance serves, by id.
struct ServedTable {
    enum Registration {
        case registered
        /// Its cancellation came before it.
        case cancelled
        /// The instance is draining.
        case refused
    }

    /// Cancellations of unknown calls that are remembered: a cancellation may overtake its call.
    private static let remembered = 64

    private(set) var calls = CallMap<ServedCall>()
    var isDraining = false
    private var overtaking: [theatre_id] = []

    mutating func register(_ call: ServedCall) -> Registration {
        if isDraining { return .refused }
        calls.insert(call, for: call.id)
        guard !overtaking.isEmpty, let index = overtaking.firstIndex(of: call.id) else { return .registered }
        overtaking.remove(at: index)
        return .cancelled
    }

    mutating func forget(_ id: theatre_id) { calls.remove(id) }

    mutating func cancel(_ id: theatre_id) -> ServedCall? {
        if let call = calls[id] { return call }
        if overtaking.count == Self.remembered { overtaking.removeFirst() }
        overtaking.append(id)
        return nil
    }
}
