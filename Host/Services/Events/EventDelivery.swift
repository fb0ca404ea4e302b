// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Brings a consumer its events, as long as this host is the one to do so; its cursor follows what was delivered.
struct EventDelivery: ActionState {
    /// How a delivery ended.
    enum Delivery: Sendable, Equatable {
        case taken
        /// Refused. `counts`: the instance itself did so. `isFinal`: it would refuse it again for ever.
        case refused(reason: String, message: String, counts: Bool, isFinal: Bool)
    }

    /// What happened.
    enum Input: Sendable {
        /// This host is to deliver.
        case granted
        /// Another host is, or may be.
        case revoked
        /// Go on after a wait.
        case proceed
        /// Where the stored cursor is.
        case cursor(Int64)
        /// What comes after the place that was read from, and how far the log was.
        case read([EventsEvent], head: Int64)
        /// A delivery of this round ended.
        case delivered(Int64, Delivery, round: Int)
        /// A refused event has waited.
        case retry(Int64, round: Int)
        /// An event was set aside, or could not be.
        case setAside(Int64, Bool, round: Int)
        /// The cursor could not be asked for or moved.
        case cursorFailed
        /// The log could not be read.
        case readFailed
        /// The store says the cursor is elsewhere than was thought.
        case suspected(Int64)
        /// Deliver no more.
        case stop
        /// What is under way after a stop has no more time.
        case giveUp
        /// It did not end even so.
        case abandon
    }

    /// What to do.
    enum Action: Sendable, Equatable {
        /// Ask where the stored cursor is.
        case ask
        /// Read what comes after this offset.
        case read(after: Int64)
        /// Deliver, for the attempt that is counted from 1.
        case deliver(EventsEvent, attempt: Int, round: Int)
        /// Move the stored cursor.
        case move(expected: Int64, to: Int64)
        /// Store that the event is refused for good.
        case setAside(EventsEvent, reason: String, message: String, attempts: Int, round: Int)
        /// Go on after so many milliseconds.
        case wait(Int64)
        /// Try the event again after so many milliseconds.
        case rest(Int64, Int64, round: Int)
        /// Give up a read that waits.
        case abandonRead
        /// Give up the deliveries under way.
        case abandonDeliveries
        /// All is still.
        case stopped
    }

    /// Milliseconds between a read that waited in vain and the next.
    static let pauseAfterNothing: Int64 = 50
    /// Milliseconds before an event that could not be set aside is delivered again.
    static let pauseAfterFailure: Int64 = 5000
    /// Events read ahead of the cursor, beyond which a stuck aggregate holds up the rest.
    static let mostAhead = 1000

    /// What the stored cursor is being asked.
    private enum CursorCall: Sendable, Equatable {
        case none, asking
        case moving(to: Int64)
    }

    private let maxAttempts: @Sendable (String) -> Int
    private let concurrency: Int
    private var window: EventWindow?
    /// As stored; nil until known.
    private var stored: Int64?
    private var cursorCall = CursorCall.none
    /// What was asked before this host lost its turn; the answer says nothing about now.
    private var answerIsStale = false
    /// A move that failed may have happened: this is where it led.
    private var doubtful: Int64?
    /// Counts the times that the cursor was found elsewhere: what began before means nothing after.
    private var round = 0
    /// Deliveries and what follows a refusal, of any round.
    private var underWay = 0
    /// Something was delivered, or found to be of no interest, since the last move.
    private var hasDelivered = false
    private var isGranted = false
    private var isReading = false
    private var isWaiting = false
    private var mustReset = false
    private var isStopping = false
    private var isStopped = false
    /// The store failed while stopping: it is left as it is.
    private var isGivingUp = false
    private var cursorBackoff = Backoff()
    private var readBackoff = Backoff()

    /// - Parameter maxAttempts: refusals of an event of a type before it is set aside.
    init(concurrency: Int, maxAttempts: @escaping @Sendable (String) -> Int) {
        self.concurrency = concurrency
        self.maxAttempts = maxAttempts
    }

    /// Offset up to which everything was delivered.
    var delivered: Int64 { window?.position ?? stored ?? 0 }
    /// Where the stored cursor is thought to be; nil while it is not known, or about to change.
    var settled: Int64? { cursorCall == .none && doubtful == nil && window != nil ? stored : nil }

    mutating func handle(_ input: Input) -> [Action] {
        var actions: [Action] = []
        switch input {
        case .granted: isGranted = true
        case .revoked: actions = revoked()
        case .proceed: isWaiting = false
        case .cursor(let offset): actions = cursor(offset)
        case .read(let events, let head): actions = read(events, head)
        case .delivered(let offset, let delivery, let round): actions = delivered(offset, delivery, round)
        case .retry(let offset, let round):
            if round == self.round { window?.retry(offset) }
        case .setAside(let offset, let isStored, let round): actions = setAside(offset, isStored, round)
        case .cursorFailed: actions = cursorFailed()
        case .readFailed:
            isReading = false
            actions = wait(readBackoff.fail())
        case .suspected(let offset):
            if let settled, settled != offset, isGranted, !isStopping {
                cursorCall = .asking
                actions = [.ask]
            }
        case .stop: actions = stop()
        case .giveUp: actions = isStopping && underWay > 0 ? [.abandonDeliveries] : []
        case .abandon: abandon()
        }
        return actions + proceed()
    }

    private mutating func proceed() -> [Action] {
        if mustReset, underWay == 0, !isReading { reset() }
        if isStopping { return settle() }
        guard isGranted, !mustReset else { return [] }
        guard window != nil else {
            guard cursorCall == .none, !isWaiting else { return [] }
            cursorCall = .asking
            return [.ask]
        }
        var actions: [Action] = []
        while underWay < concurrency, let (event, attempt) = window?.next() {
            underWay += 1
            actions.append(.deliver(event, attempt: attempt, round: round))
        }
        if !isWaiting, let move = move() { actions.append(move) }
        if !isReading, !isWaiting, let window, window.size < Self.mostAhead {
            isReading = true
            actions.append(.read(after: window.end))
        }
        return actions
    }

    private mutating func read(_ events: [EventsEvent], _ head: Int64) -> [Action] {
        isReading = false
        readBackoff.reset()
        guard !mustReset, let before = window?.end else { return [] }
        window?.append(events, head: head)
        // Events that are of no interest are passed too, else they would never be old enough to be removed. Once a read, so
        // that a log that others fill costs no write for each of theirs.
        if events.isEmpty { hasDelivered = true }
        // A log that answers at once although there is nothing must not be asked in a tight loop.
        return events.isEmpty && head <= before ? wait(Self.pauseAfterNothing) : []
    }

    private mutating func wait(_ milliseconds: Int64) -> [Action] {
        guard !isWaiting, !isStopping else { return [] }
        isWaiting = true
        return [.wait(milliseconds)]
    }

    private mutating func delivered(_ offset: Int64, _ delivery: Delivery, _ round: Int) -> [Action] {
        guard round == self.round, !mustReset else {
            underWay = max(0, underWay - 1)
            return []
        }
        guard case .refused(let reason, let message, let counts, let isFinal) = delivery else {
            underWay -= 1
            window?.done(offset)
            hasDelivered = true
            return []
        }
        let attempts = window?.refused(offset, counts: counts) ?? 0
        guard let event = window?.event(offset), isFinal || attempts >= maxAttempts(event.type) else {
            underWay -= 1
            return isStopping ? [] : [.rest(offset, Backoff.milliseconds(after: max(1, attempts)), round: round)]
        }
        // Still under way: the cursor does not pass it before it is stored.
        return [.setAside(event, reason: reason, message: message, attempts: attempts, round: round)]
    }

    private mutating func setAside(_ offset: Int64, _ isStored: Bool, _ round: Int) -> [Action] {
        underWay = max(0, underWay - 1)
        guard round == self.round, !mustReset else { return [] }
        guard isStored else {
            return isStopping ? [] : [.rest(offset, Self.pauseAfterFailure, round: round)]
        }
        window?.done(offset)
        hasDelivered = true
        return []
    }
}

// The stored cursor.
extension EventDelivery {
    private mutating func cursor(_ offset: Int64) -> [Action] {
        cursorBackoff.reset()
        let call = cursorCall
        cursorCall = .none
        if answerIsStale {
            answerIsStale = false
            return []
        }
        guard window != nil, let before = stored else {
            stored = offset
            window = EventWindow(at: offset)
            return []
        }
        var known = [before]
        if case .moving(let target) = call { known = [target] }
        if let doubtful { known.append(doubtful) }
        doubtful = nil
        stored = offset
        // Where somebody else moved it, theirs counts.
        guard !known.contains(offset) else { return [] }
        mustReset = true
        return isReading ? [.abandonRead] : []
    }

    private mutating func cursorFailed() -> [Action] {
        if case .moving(let target) = cursorCall, !answerIsStale {
            doubtful = target
            hasDelivered = true
        }
        cursorCall = .none
        answerIsStale = false
        if isStopping { isGivingUp = true }
        return wait(cursorBackoff.fail())
    }

    private mutating func move() -> Action? {
        guard let stored, let window, stored < window.position, hasDelivered, cursorCall == .none, isGranted,
            !mustReset
        else { return nil }
        guard doubtful == nil else {
            cursorCall = .asking
            return .ask
        }
        hasDelivered = false
        cursorCall = .moving(to: window.position)
        return .move(expected: stored, to: window.position)
    }

    /// Another delivers: what is under way is given up, and what ends of it counts for nothing.
    private mutating func revoked() -> [Action] {
        guard isGranted else { return [] }
        isGranted = false
        mustReset = true
        stored = nil
        answerIsStale = cursorCall != .none
        return (isReading ? [.abandonRead] : []) + (underWay > 0 ? [.abandonDeliveries] : [])
    }

    private mutating func reset() {
        mustReset = false
        round += 1
        hasDelivered = false
        doubtful = nil
        window = stored.map { EventWindow(at: $0) }
    }

    private mutating func stop() -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        return isReading ? [.abandonRead] : []
    }

    /// What ends later counts for nothing; the event comes again.
    private mutating func abandon() {
        guard isStopping, underWay > 0 else { return }
        underWay = 0
        round += 1
    }

    /// Stores how far it got, then ends.
    private mutating func settle() -> [Action] {
        guard underWay == 0, !isReading, cursorCall == .none, !isStopped else { return [] }
        if !isGivingUp, let move = move() { return [move] }
        isStopped = true
        return [.stopped]
    }
}
