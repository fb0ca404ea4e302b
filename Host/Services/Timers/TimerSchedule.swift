// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Decides what fires when, one at a time for each timer and a bounded number at once.
struct TimerSchedule: ActionState {
    /// What happened.
    enum Input: Sendable {
        /// Look at the table: at start, after a timer was set, at a wake-up.
        case look
        /// What the table holds next, and what time it is.
        case found([Timer], now: Int64)
        /// The table could not be read or written.
        case failed
        /// A firing ended well or not.
        case fired(Timer, succeeded: Bool, now: Int64)
        /// The row of a firing is settled, or could not be.
        case settled(Timer.Key, succeeded: Bool)
        /// No more firings.
        case stop
    }

    /// What to do.
    enum Action: Sendable {
        /// Read this many of the next rows.
        case read(Int)
        /// Call the instance.
        case fire(Timer)
        /// Delete the row.
        case delete(Timer)
        /// Put the row off until then.
        case postpone(Timer, Int64)
        /// Look again after so many milliseconds, instead of at any time said before.
        case wake(Int64)
        /// Nothing is under way any more.
        case stopped
    }

    /// Firings at once.
    let bound: Int

    private var underWay: Set<Timer.Key> = []
    private var isReading = false
    private var mustReadAgain = false
    private var backoff = Backoff()
    private var isStopping = false

    init(bound: Int) { self.bound = bound }

    /// Longest wait: a wall clock that is set forward is noticed by then.
    static let longestWait: Int64 = 60_000

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .look: return look()
        case .found(let timers, let now): return found(timers, now)
        case .failed:
            isReading = false
            return isStopping ? finish() : [.wake(backoff.fail())]
        case .fired(let timer, true, _): return [.delete(timer)]
        case .fired(let timer, false, let now):
            return [.postpone(timer, now + Backoff.milliseconds(after: timer.attempt + 1))]
        case .settled(let key, let succeeded):
            underWay.remove(key)
            if isStopping { return finish() }
            // A row that could not be settled is still due: it fires again, not before the table is well.
            return succeeded ? look() : [.wake(backoff.fail())]
        case .stop:
            isStopping = true
            return finish()
        }
    }

    private mutating func look() -> [Action] {
        guard !isStopping else { return [] }
        guard !isReading else {
            mustReadAgain = true
            return []
        }
        isReading = true
        // Those under way stand first in the table, so as many more are read.
        return [.read(bound + underWay.count + 1)]
    }

    private mutating func found(_ timers: [Timer], _ now: Int64) -> [Action] {
        isReading = false
        backoff.reset()
        guard !isStopping else { return finish() }
        var actions: [Action] = []
        for timer in timers where !underWay.contains(timer.key) {
            if timer.nextAt > now {
                actions.append(.wake(min(timer.nextAt - now, Self.longestWait)))
                break
            }
            guard underWay.count < bound else { break }
            underWay.insert(timer.key)
            actions.append(.fire(timer))
        }
        if mustReadAgain {
            mustReadAgain = false
            actions += look()
        }
        return actions
    }

    private func finish() -> [Action] { underWay.isEmpty && !isReading ? [.stopped] : [] }
}
