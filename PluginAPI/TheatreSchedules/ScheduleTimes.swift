// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A cron expression in a time zone: when it comes, and what of it a stop has missed. All times are milliseconds since
/// 1970.
public struct ScheduleTimes: Sendable {
    /// What becomes of times that passed while nobody fired them.
    public enum CatchUp: Sendable, Hashable {
        /// They are left out.
        case skip
        /// The last stands for all.
        case one
        /// Each counts, at most the last ``ScheduleTimes/most``.
        case all
    }

    /// Most times that are made up for.
    public static let most = 100
    /// A time that passed no longer ago than this was not missed, only late.
    public static let grace: Int64 = 60_000

    private let expression: CronExpression
    private let zone: TimeZoneRules

    /// Reads both; for a storage plugin that is given a schedule, and for the host that fires it.
    ///
    /// - Throws: ``ScheduleError``, INVALID_ARGUMENT `jobs.bad_schedule`.
    public init(cron: String, timeZone: String) throws(ScheduleError) {
        self.init(try CronExpression(parsing: cron), in: try TimeZoneRules(named: timeZone))
    }

    /// Of an expression and a zone.
    public init(_ expression: CronExpression, in zone: TimeZoneRules) {
        self.expression = expression
        self.zone = zone
    }

    /// The first time after an instant; nil where there is none within a lifetime.
    public func next(after instant: Int64) -> Int64? { expression.next(after: instant, in: zone) }

    /// What to fire now, and when the next time is.
    ///
    /// - Parameters:
    ///   - after: the last time that is dealt with.
    ///   - now: what the clock says.
    public func due(after: Int64, now: Int64, _ catchUp: CatchUp) -> (times: [Int64], next: Int64?) {
        let next = self.next(after: now)
        guard after < now else { return ([], next) }
        switch catchUp {
        case .skip: return (last(1, after: max(after, now - Self.grace), to: now), next)
        case .one: return (last(1, after: after, to: now), next)
        case .all: return (last(Self.most, after: after, to: now), next)
        }
    }

    /// The last times of a stretch, at most `count`, in order. A long stretch is looked at from its end, in windows that
    /// grow until there are enough.
    private func last(_ count: Int, after start: Int64, to end: Int64) -> [Int64] {
        var window: Int64 = 3_600_000
        while true {
            let from = max(start, end - window)
            var found: [Int64] = []
            var time = from
            while let next = next(after: time), next <= end {
                found.append(next)
                time = next
            }
            if found.count >= count || from == start { return found.suffix(count) }
            window *= 4
        }
    }
}
