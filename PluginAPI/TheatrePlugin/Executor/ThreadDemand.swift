// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Decides how many of an executor's threads work.
///
/// One thread that works takes what comes, batch after batch: waking another for each job would cost more than most
/// jobs. So while one works, at most one more is awake, the watch, which looks now and then whether a job that was
/// queued when it last looked is queued still. Then the others are too slow, or blocked, and the watch works as well.
struct ThreadDemand {
    /// What the one who queued a job has to do.
    enum Action: Equatable {
        /// Nothing: a thread that works will take it.
        case none
        /// Wake a sleeping thread.
        case wake
        /// Start a thread.
        case start
    }

    /// What a thread that was woken, or started, has to do.
    enum Role: Equatable {
        case work, watch, sleep
    }

    private let limit: Int
    /// Threads that exist.
    private(set) var threads = 0
    /// Threads that sleep until they are woken.
    private(set) var sleeping = 0
    /// Threads that work or are on their way to it.
    private(set) var working = 0
    /// Threads that sleep and have been woken.
    private var woken = 0
    /// Threads that are on their way to work.
    private var called = 0
    /// A thread watches or is on its way to it.
    private(set) var isWatched = false
    private var watchIsCalled = false
    /// Jobs queued, and jobs taken, ever.
    private var queued: UInt64 = 0
    private var taken: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    /// Jobs that wait.
    var backlog: UInt64 { queued - taken }

    /// A job was queued. `isLookedFor`: a thread that ran dry is about to look again.
    mutating func queue(isLookedFor: Bool) -> Action {
        queued += 1
        if working == 0 {
            let action = call()
            guard action != .none else { return .none }
            working += 1
            called += 1
            return action
        }
        return backlog > (isLookedFor ? 1 : 0) ? callWatch() : .none
    }

    private mutating func callWatch() -> Action {
        guard !isWatched else { return .none }
        let action = call()
        guard action != .none else { return .none }
        isWatched = true
        watchIsCalled = true
        return action
    }

    private mutating func call() -> Action {
        if sleeping > woken {
            woken += 1
            return .wake
        }
        guard threads < limit else { return .none }
        threads += 1
        return .start
    }

    /// So many were taken, ever; the count may come late and out of order.
    mutating func took(_ count: UInt64) { taken = max(taken, count) }

    /// Whether what ``queue(isLookedFor:)`` answers goes by how many jobs wait.
    var goesByBacklog: Bool { working > 0 && !isWatched }

    /// A thread that works found nothing to do and goes to sleep.
    mutating func sleep() {
        working -= 1
        sleeping += 1
    }

    /// A thread that slept, or was just started, asks what it is for.
    mutating func role(wasSleeping: Bool) -> Role {
        let role: Role = called > 0 ? .work : watchIsCalled ? .watch : .sleep
        if role == .work { called -= 1 }
        if role == .watch { watchIsCalled = false }
        if wasSleeping, role != .sleep {
            sleeping -= 1
            woken = max(0, woken - 1)
        }
        if !wasSleeping, role == .sleep { sleeping += 1 }
        return role
    }

    /// What the watch remembers while it waits.
    var mark: UInt64 { queued }

    /// What the watch does once it has waited, and what to do for another to watch in its place.
    mutating func watched(since mark: UInt64) -> (Role, Action) {
        if taken < mark {
            isWatched = false
            working += 1
            return (.work, backlog > 1 ? callWatch() : .none)
        }
        if backlog > 0 { return (.watch, .none) }
        isWatched = false
        sleeping += 1
        return (.sleep, .none)
    }

    /// A thread that works ends; the executor is closed.
    mutating func end() {
        working -= 1
        threads -= 1
    }

    /// A thread that sleeps ends; the executor is closed.
    mutating func endSleeping() {
        sleeping -= 1
        threads -= 1
    }

    /// A thread could not be started. True where no other works, so that whoever queued has to.
    mutating func startFailed() -> Bool {
        threads -= 1
        if called > 0 {
            called -= 1
            working -= 1
        } else {
            watchIsCalled = false
            isWatched = false
        }
        return working == 0
    }
}
