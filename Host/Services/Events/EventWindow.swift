// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Events between a consumer's cursor and the end of what was read: which may be delivered now, and how far all are done.
///
/// Events of one aggregate are delivered one after the other, in order; those of different aggregates at once.
struct EventWindow: Sendable {
    /// What events are in order within.
    private struct Key: Sendable, Hashable {
        var tenant: String
        var aggregate: String

        init(_ event: EventsEvent) {
            tenant = event.tenant
            aggregate = event.aggregate
        }
    }

    private struct Entry: Sendable {
        var event: EventsEvent
        var attempts = 0
        var isDone = false
    }

    /// Everything up to here is done or of no interest.
    private(set) var position: Int64
    /// Everything up to here was read.
    private(set) var end: Int64
    private var entries: [Int64: Entry] = [:]
    /// Offsets in order, done ones at the front removed.
    private var order: [Int64] = []
    private var first = 0
    /// Offsets of an aggregate that are not done, in order.
    private var queues: [Key: [Int64]] = [:]
    /// Heads of aggregates that nobody works on, in the order they became so.
    private var ready: [Int64] = []

    init(at position: Int64) {
        self.position = position
        end = position
    }

    /// Events that are not done.
    var count: Int { entries.count { !$0.value.isDone } }
    /// Events held, done or not.
    var size: Int { order.count - first }

    /// Takes what comes after the end, up to `head`.
    mutating func append(_ events: [EventsEvent], head: Int64) {
        for event in events where event.offset > end {
            end = event.offset
            entries[event.offset] = Entry(event: event)
            order.append(event.offset)
            let key = Key(event)
            if queues[key, default: []].isEmpty { ready.append(event.offset) }
            queues[key, default: []].append(event.offset)
        }
        // Where nothing of interest came, the end is where the log was.
        if events.isEmpty { end = max(end, head) }
        advance()
    }

    /// The next event to deliver, with its attempt counted from 1; it is under way from now on.
    mutating func next() -> (EventsEvent, attempt: Int)? {
        guard !ready.isEmpty, let entry = entries[ready.removeFirst()] else { return nil }
        return (entry.event, entry.attempts + 1)
    }

    /// An event that was under way is done with.
    mutating func done(_ offset: Int64) {
        guard let entry = entries[offset], !entry.isDone else { return }
        entries[offset]?.isDone = true
        let key = Key(entry.event)
        queues[key]?.removeFirst()
        if let head = queues[key]?.first { ready.append(head) } else { queues[key] = nil }
        advance()
    }

    /// An event that was under way was refused; its attempts so far where `counts`.
    mutating func refused(_ offset: Int64, counts: Bool) -> Int {
        if counts { entries[offset]?.attempts += 1 }
        return entries[offset]?.attempts ?? 0
    }

    /// A refused event may be tried again.
    mutating func retry(_ offset: Int64) {
        if let entry = entries[offset], !entry.isDone { ready.append(offset) }
    }

    func event(_ offset: Int64) -> EventsEvent? { entries[offset]?.event }

    private mutating func advance() {
        while first < order.count, entries[order[first]]?.isDone == true {
            position = order[first]
            entries[order[first]] = nil
            first += 1
        }
        if first == order.count { position = max(position, end) }
        if first > 1024 || first == order.count {
            order.removeFirst(first)
            first = 0
        }
    }
}
