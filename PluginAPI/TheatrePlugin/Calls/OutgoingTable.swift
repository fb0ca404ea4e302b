// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// Calls on their way, by id, and what came for ids that `request` has not returned yet.
struct OutgoingTable {
    /// Something the host said of a call.
    enum Event: Sendable {
        case answer(OutgoingCall.Answer)
        case chunk(flags: UInt32, sequence: UInt64, bytes: [UInt8])
        case credit(UInt64)
    }

    private struct Early {
        /// Every request begun before this number may be meant.
        let before: UInt64
        var events: [Event]
    }

    private var calls: [theatre_id: OutgoingCall] = [:]
    private var early: [theatre_id: Early] = [:]
    private var open: [UInt64] = []
    private var nextTicket: UInt64 = 0

    /// A request is about to be made.
    mutating func begin() -> UInt64 {
        nextTicket += 1
        open.append(nextTicket)
        return nextTicket
    }

    /// The request was accepted: what came early, in order. The caller replays it before it unlocks.
    mutating func accept(_ ticket: UInt64, _ id: theatre_id, _ call: OutgoingCall) -> [Event] {
        let events = early.isEmpty ? [] : early.removeValue(forKey: id)?.events ?? []
        if !events.contains(where: { if case .answer = $0 { true } else { false } }) { calls[id] = call }
        end(ticket)
        return events
    }

    /// The request was answered before it returned, and needs no entry.
    mutating func answered(_ ticket: UInt64) { end(ticket) }

    /// The request was refused.
    mutating func refuse(_ ticket: UInt64) { end(ticket) }

    /// The call an event is for; nil where it is kept for a request under way, or for nobody.
    mutating func call(_ id: theatre_id, else event: @autoclosure () -> Event) -> (call: OutgoingCall?, isKept: Bool) {
        if let call = calls[id] { return (call, false) }
        guard !open.isEmpty else { return (nil, false) }
        early[id, default: Early(before: nextTicket + 1, events: [])].events.append(event())
        return (nil, true)
    }

    /// The call is over.
    mutating func remove(_ id: theatre_id) { calls[id] = nil }

    /// Everything that still waits.
    mutating func removeAll() -> [OutgoingCall] {
        defer { calls = [:] }
        return Array(calls.values)
    }

    /// Forgets what came for ids that no open request can still turn out to have.
    private mutating func end(_ ticket: UInt64) {
        if let index = open.firstIndex(of: ticket) { open.remove(at: index) }
        guard !early.isEmpty else { return }
        let oldest = open.first ?? .max
        early = early.filter { $0.value.before > oldest }
    }
}
