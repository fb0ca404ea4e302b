// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreContracts

/// Looks at schedules at most a second apart and has those that are due fired, each once at a time.
struct ScheduleRound: ActionState {
    /// What happened. Times are milliseconds since 1970.
    enum Input: Sendable {
        /// Begin.
        case start
        /// Look now: after a wait, or because the clock was moved.
        case look
        /// These are due, and when the next one is; 0 where none is known.
        case found([JobsSchedule], next: Int64, now: Int64)
        /// They could not be read.
        case failed
        /// One was dealt with, or could not be.
        case dealtWith(Key)
        /// Look no more until the next start.
        case pause
    }

    /// What to do.
    enum Action: Sendable, Equatable {
        /// Read those that are due.
        case read
        /// Work out its times and fire it.
        case fire(JobsSchedule)
        /// Look after so many milliseconds, instead of at any time said before.
        case wake(Int64)
    }

    /// Which schedule.
    struct Key: Sendable, Hashable {
        var owner: String
        var name: String

        init(_ schedule: JobsSchedule) {
            owner = schedule.owner
            name = schedule.name
        }
    }

    /// Schedules in one read.
    static let page = 100
    /// Longest wait: what a plugin or another process puts is noticed by then.
    static let longestWait: Int64 = 1000

    private var isOn = false
    private var isReading = false
    private var hasMore = false
    private var underWay: Set<Key> = []
    private var backoff = Backoff()

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .start:
            guard !isOn else { return [] }
            isOn = true
            return read()
        case .look: return read()
        case .found(let schedules, let next, let now): return found(schedules, next, now)
        case .failed:
            isReading = false
            return isOn ? [.wake(backoff.fail())] : []
        case .dealtWith(let key):
            underWay.remove(key)
            guard underWay.isEmpty, hasMore else { return [] }
            hasMore = false
            return read()
        case .pause:
            isOn = false
            return []
        }
    }

    private mutating func read() -> [Action] {
        guard isOn, !isReading else { return [] }
        isReading = true
        return [.read]
    }

    private mutating func found(_ schedules: [JobsSchedule], _ next: Int64, _ now: Int64) -> [Action] {
        isReading = false
        backoff.reset()
        guard isOn else { return [] }
        var actions: [Action] = []
        for schedule in schedules where underWay.insert(Key(schedule)).inserted { actions.append(.fire(schedule)) }
        hasMore = schedules.count >= Self.page
        let wait = next > now ? min(next - now, Self.longestWait) : Self.longestWait
        return actions + [.wake(wait)]
    }
}
