// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A time zone as POSIX writes it in `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`. Offsets are seconds ahead of UTC.
struct PosixRule: Sendable, Hashable {
    /// When a year's change comes, and at what local time.
    struct Change: Sendable, Hashable {
        enum Day: Sendable, Hashable {
            /// 1 to 365; 29 February is never counted.
            case julian(Int)
            /// 0 to 365; 29 February is counted.
            case zeroBased(Int)
            /// Month, week (5 is the last) and day of the week.
            case month(Int, week: Int, weekday: Int)
        }

        var day: Day
        /// Seconds after midnight by the offset before the change; may be negative or beyond a day.
        var seconds: Int

        /// Seconds since 1970 in local time.
        func local(in year: Int) -> Int64 {
            let first = CivilDay(year: year, month: 1, day: 1).number
            switch day {
            case .zeroBased(let number): return (first + Int64(number)) * 86_400 + Int64(seconds)
            case .julian(let number):
                let leap = CivilDay.isLeap(year) && number >= 60 ? 1 : 0
                return (first + Int64(number - 1 + leap)) * 86_400 + Int64(seconds)
            case .month(let month, let week, let weekday):
                let start = CivilDay(year: year, month: month, day: 1)
                var day = 1 + (weekday - start.weekday + 7) % 7 + (week - 1) * 7
                if day > CivilDay.length(ofMonth: month, year) { day -= 7 }
                return CivilDay(year: year, month: month, day: day).number * 86_400 + Int64(seconds)
            }
        }
    }

    /// Offset, when a summer time begins, and when it ends.
    struct Summer: Sendable, Hashable {
        var offset: Int
        var begin: Change
        var end: Change
    }

    var standard: Int
    var summer: Summer?

    func offset(at instant: Int64) -> Int {
        guard summer != nil else { return standard }
        return transitions(in: (instant - 400 * 86_400)...instant).last?.after ?? standard
    }

    /// Changes within a range, in order.
    func transitions(in range: ClosedRange<Int64>) -> [Transition] {
        guard let summer else { return [] }
        let first = CivilDay(number: floorDivide(range.lowerBound, 86_400)).year - 1
        let last = CivilDay(number: floorDivide(range.upperBound, 86_400)).year + 1
        var all: [Transition] = []
        for year in first...last {
            all.append(
                Transition(
                    instant: summer.begin.local(in: year) - Int64(standard), before: standard, after: summer.offset))
            all.append(
                Transition(
                    instant: summer.end.local(in: year) - Int64(summer.offset), before: summer.offset, after: standard))
        }
        // Where two fall together, as in a summer time all year round, the one to summer counts.
        all.sort { ($0.instant, $0.after == summer.offset ? 1 : 0) < ($1.instant, $1.after == summer.offset ? 1 : 0) }
        return all.filter { range.contains($0.instant) }
    }
}
