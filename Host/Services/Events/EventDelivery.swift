// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Brings a consumer its events one after the other; its cursor follows only what was delivered.
struct EventDelivery: ActionState {
    /// What happened.
    enum Input: Sendable {
        /// Begin, or go on after a wait.
        case proceed
        /// Where the stored cursor is.
        case cursor(Int64)
        /// What comes after the place that was read from, and how far the log was.
        case read([EventsEvent], head: Int64)
        /// The event in hand was taken, or not.
        case delivered(Bool)
        /// The log or its cursor failed.
        case failed
        /// Deliver no more.
        case stop
    }

    /// What to do.
    enum Action: Sendable, Equatable {
        /// Ask where the stored cursor is.
        case ask
        /// Read what comes after this offset.
        case read(after: Int64)
        /// Deliver, for the attempt that is counted from 1.
        case deliver(EventsEvent, attempt: Int)
        /// Move the stored cursor.
        case move(expected: Int64, to: Int64)
        /// Go on after so many milliseconds.
        case wait(Int64)
        /// The event failed this many times: someone should look.
        case complain(EventsEvent, attempts: Int)
        /// Give up a read that waits.
        case abandonRead
        /// All is still.
        case stopped
    }

    /// Failures of one event after which an error is logged, and again each time as many more.
    static let complaintAfter = 20

    /// Milliseconds between a read that waited in vain and the next.
    static let pauseAfterNothing: Int64 = 50

    private enum Phase: Equatable { case idle, asking, reading, delivering, moving, waiting, stopped }

    private var phase = Phase.idle
    /// As stored; nil until known.
    private var stored: Int64?
    /// Everything up to here was delivered or is of no interest.
    private var position: Int64 = 0
    private var queue: [EventsEvent] = []
    private var attempts = 0
    private var backoff = Backoff()
    private var isStopping = false

    /// Offset up to which everything was delivered.
    var delivered: Int64 { position }

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .proceed: return phase == .idle || phase == .waiting ? proceed() : []
        case .cursor(let offset): return cursor(offset)
        case .read(let events, let head): return read(events, head)
        case .delivered(true): return taken()
        case .delivered(false): return refused()
        case .failed: return failed()
        case .stop: return stop()
        }
    }

    private mutating func proceed() -> [Action] {
        if isStopping { return settle() }
        if stored == nil {
            phase = .asking
            return [.ask]
        }
        // Before an event is tried again, what went before it is made safe.
        if queue.isEmpty || attempts > 0, let move = move() { return move }
        if let event = queue.first {
            phase = .delivering
            return [.deliver(event, attempt: attempts + 1)]
        }
        phase = .reading
        return [.read(after: position)]
    }

    private mutating func cursor(_ offset: Int64) -> [Action] {
        backoff.reset()
        // After a move this is where it was moved to, unless somebody else moved it: then theirs counts.
        if stored == nil || (phase == .moving && offset != position) {
            position = offset
            queue = []
            attempts = 0
        }
        stored = offset
        return proceed()
    }

    private mutating func read(_ events: [EventsEvent], _ head: Int64) -> [Action] {
        guard phase == .reading else { return [] }
        backoff.reset()
        queue = events.filter { $0.offset > position }
        guard queue.isEmpty, !isStopping else { return proceed() }
        // An empty read moves nothing in the store: the next start reads the same stretch again and finds it empty.
        guard head <= position else {
            position = head
            return [.read(after: head)]
        }
        // A log that answers at once although there is nothing must not be asked in a tight loop.
        phase = .waiting
        return [.wait(Self.pauseAfterNothing)]
    }

    private mutating func taken() -> [Action] {
        guard let event = queue.first else { return proceed() }
        position = event.offset
        queue.removeFirst()
        attempts = 0
        backoff.reset()
        return proceed()
    }

    private mutating func refused() -> [Action] {
        attempts += 1
        let wait = Backoff.milliseconds(after: attempts)
        if isStopping { return settle() }
        phase = .waiting
        guard attempts % Self.complaintAfter == 0, let event = queue.first else { return [.wait(wait)] }
        return [.complain(event, attempts: attempts), .wait(wait)]
    }

    private mutating func failed() -> [Action] {
        if isStopping {
            phase = .stopped
            return [.stopped]
        }
        // The cursor may have moved without an answer: ask again, the move is compare-and-set.
        if phase == .moving { stored = nil }
        phase = .waiting
        return [.wait(backoff.fail())]
    }

    private mutating func move() -> [Action]? {
        guard let stored, stored < position, phase != .moving else { return nil }
        phase = .moving
        return [.move(expected: stored, to: position)]
    }

    private mutating func stop() -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        switch phase {
        case .idle, .waiting: return settle()
        case .reading: return [.abandonRead]
        case .asking, .delivering, .moving: return []
        case .stopped: return [.stopped]
        }
    }

    /// Stores how far it got, then ends.
    private mutating func settle() -> [Action] {
        if let move = move() { return move }
        phase = .stopped
        return [.stopped]
    }
}
