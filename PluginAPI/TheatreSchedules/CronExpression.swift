// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Five fields that say at which local times something is to happen: minute, hour, day of month, month, day of week.
///
/// Each is `*`, a number, a name (`JAN`, `SUN`), a range, a list, or one of these with a step: `*/15`, `9-17/2`, `5/10`.
/// Where neither day field begins with `*`, a day that meets one of them counts; else it must meet both. 7 is Sunday too.
public struct CronExpression: Sendable, Hashable {
    let minutes: Set<Int>
    let hours: Set<Int>
    let days: Set<Int>
    let months: Set<Int>
    let weekdays: Set<Int>
    /// Of day of month and day of week, one that counts is enough.
    let eitherDay: Bool
    /// Times of a day in seconds after midnight, in order.
    let times: [Int64]

    /// Years in which a combination of days of month and week comes at least once, if ever.
    static let horizon = 41

    /// Reads an expression.
    ///
    /// - Throws: ``ScheduleError`` at `/cron`; also where it never comes, as on 30 February.
    public init(parsing text: String) throws(ScheduleError) {
        let fields = text.split { $0 == " " || $0 == "\t" }
        guard fields.count == 5, text.utf8.count <= 256 else {
            throw ScheduleError(
                "/cron",
                "The schedule \"\(text.prefix(64))\" has \(fields.count) fields; five are expected: minute, hour, day of month, month, day of week."
            )
        }
        minutes = try CronField.minute.parse(fields[0])
        hours = try CronField.hour.parse(fields[1])
        days = try CronField.day.parse(fields[2])
        months = try CronField.month.parse(fields[3])
        // Sunday is 0 and 7.
        weekdays = Set(try CronField.weekday.parse(fields[4]).map { $0 % 7 })
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        let minutes = minutes.sorted()
        times = hours.sorted().flatMap { hour in minutes.map { Int64(hour * 3600 + $0 * 60) } }
        guard matchingDay(from: CivilDay(year: 2000, month: 1, day: 1).number) != nil else {
            throw ScheduleError("/cron", "The schedule \"\(text)\" never comes; no year has such a day.")
        }
    }

    /// The first time after an instant. Both are milliseconds since 1970.
    ///
    /// A local time that does not exist on a day counts when the clock has passed it; one that exists twice counts once,
    /// the first time.
    public func next(after milliseconds: Int64, in zone: TimeZoneRules) -> Int64? {
        let instant = floorDivide(milliseconds, 1000)
        let local = instant + Int64(zone.offset(at: instant))
        // Everything up to this local minute has passed; beyond it, only what the clock shows a second time.
        var number = floorDivide(local, 86_400)
        let limit = number + Int64(Self.horizon * 366)
        while let day = matchingDay(from: number), day <= limit {
            for time in times where day * 86_400 + time > local - 60 {
                let found = zone.instant(ofLocal: day * 86_400 + time)
                if found * 1000 > milliseconds { return found * 1000 }
            }
            number = day + 1
        }
        return nil
    }

    /// The first day that counts, from a day on, as days since 1970.
    private func matchingDay(from number: Int64) -> Int64? {
        var day = CivilDay(number: number)
        let last = day.year + Self.horizon
        while day.year <= last {
            if months.contains(day.month) {
                let length = CivilDay.length(ofMonth: day.month, day.year)
                var number = day.number
                while day.day <= length {
                    if isMatch(day.day, CivilDay.weekday(number)) { return number }
                    day.day += 1
                    number += 1
                }
            }
            day.day = 1
            day.month += 1
            if day.month > 12 {
                day.month = 1
                day.year += 1
            }
        }
        return nil
    }

    private func isMatch(_ day: Int, _ weekday: Int) -> Bool {
        eitherDay
            ? days.contains(day) || weekdays.contains(weekday) : days.contains(day) && weekdays.contains(weekday)
    }
}
