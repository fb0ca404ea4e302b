// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import TheatreSchedules

@Suite struct CronTests {
    private static func instant(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Int64 {
        (CivilDay(year: year, month: month, day: day).number * 86_400 + Int64(hour * 3600 + minute * 60)) * 1000
    }

    @Test(arguments: [
        ("* * * * *", instant(2026, 1, 1, 0, 1)), ("0 0 * * *", instant(2026, 1, 2)),
        ("30 9 * * MON-FRI", instant(2026, 1, 1, 9, 30)), ("0 0 29 2 *", instant(2028, 2, 29)),
        ("*/20 8-10/2 * * *", instant(2026, 1, 1, 8, 0)), ("5/25 0 * * *", instant(2026, 1, 1, 0, 5)),
        ("0 12 13 * FRI", instant(2026, 1, 2, 12)), ("0 0 1,15 feb,Mar *", instant(2026, 2, 1)),
        ("0 0 * * 7", instant(2026, 1, 4)), ("0 0 * * sat-sun", instant(2026, 1, 3)),
        ("0 0 */2 * 1", instant(2026, 1, 5)), ("59 23 31 12 *", instant(2026, 12, 31, 23, 59)),
    ])
    func theNextTimeIsFound(_ cron: String, _ expected: Int64) throws {
        let expression = try CronExpression(parsing: cron)
        #expect(expression.next(after: Self.instant(2026, 1, 1), in: .utc) == expected)
    }

    @Test(arguments: [
        ("", "0 fields"), ("* * * *", "4 fields"), ("* * * * * *", "6 fields"), ("60 * * * *", "minute is \"60\""),
        ("* 24 * * *", "hour"), ("* * 0 * *", "day of month"), ("* * * 13 *", "month"), ("* * * * 8", "day of week"),
        ("*/0 * * * *", "step"), ("*/x * * * *", "step"), ("9-5 * * * *", "backwards"), ("1,,2 * * * *", "\"\""),
        ("-1 * * * *", "minute"), ("1- * * * *", "minute"), ("* * * FOO *", "JAN to DEC"), ("@daily", "1 fields"),
        ("0 0 30 2 *", "never comes"), ("0 0 31 4,6,9,11 *", "never comes"), ("٣ * * * *", "minute"),
    ])
    func aFaultIsNamed(_ cron: String, _ words: String) {
        let error = #expect(throws: ScheduleError.self) { try CronExpression(parsing: cron) }
        #expect(error?.pointer == "/cron")
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    /// New York 2026: 02:00 to 03:00 is left out on 8 March, 01:00 to 02:00 comes twice on 1 November.
    @Test func aTimeThatIsLeftOutFiresOnceTheClockHasPassedItAndOneThatComesTwiceOnce() throws {
        let zone = try TimeZoneRules(named: "America/New_York")
        let half = ScheduleTimes(try CronExpression(parsing: "30 1,2 * * *"), in: zone)
        let march = [Self.instant(2026, 3, 8, 6, 30), Self.instant(2026, 3, 8, 7), Self.instant(2026, 3, 9, 5, 30)]
        #expect(Self.times(half, after: Self.instant(2026, 3, 8, 5), 3) == march)
        let november = [
            Self.instant(2026, 11, 1, 5, 30), Self.instant(2026, 11, 1, 7, 30), Self.instant(2026, 11, 2, 6, 30),
        ]
        #expect(Self.times(half, after: Self.instant(2026, 11, 1, 4), 3) == november)
        // In the second of the doubled hours nothing that came in the first comes again.
        #expect(half.next(after: Self.instant(2026, 11, 1, 6, 10)) == november[1])
        let quarter = ScheduleTimes(try CronExpression(parsing: "*/15 * * * *"), in: zone)
        #expect(
            Self.times(quarter, after: Self.instant(2026, 3, 8, 6, 45), 2) == [
                Self.instant(2026, 3, 8, 7), Self.instant(2026, 3, 8, 7, 15),
            ])
    }

    private static func times(_ schedule: ScheduleTimes, after start: Int64, _ count: Int) -> [Int64] {
        var found: [Int64] = []
        while found.count < count, let next = schedule.next(after: found.last ?? start) { found.append(next) }
        return found
    }

    /// Against the definition, minute by minute around every change of the offset in five years.
    @Test(arguments: ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia"])
    func everyTimeIsWhereTheDefinitionSays(_ name: String) throws {
        let zone = try TimeZoneRules(named: name)
        var random = SeededGenerator(seed: UInt64(name.utf8.count))
        let from = Self.instant(2011, 6, 1) / 1000
        for change in zone.transitions(in: from...(from + 5 * 366 * 86_400)) {
            let cron = Self.anyCron(&random)
            let expression = try CronExpression(parsing: cron)
            let start = change.instant / 60 * 60 - 30 * 3600
            let end = change.instant + 30 * 3600
            var expected: [Int64] = []
            for instant in stride(from: start + 60, through: end, by: 60)
            where Self.fires(expression, zone, instant) { expected.append(instant * 1000) }
            var found: [Int64] = []
            var time = start * 1000
            while let next = expression.next(after: time, in: zone), next <= end * 1000 {
                found.append(next)
                time = next
            }
            #expect(found == expected, "\(cron) in \(name) around \(change.instant)")
        }
    }

    /// A minute fires where its local time matches and did not come before, or the clock has just passed over one that
    /// matches.
    private static func fires(_ expression: CronExpression, _ zone: TimeZoneRules, _ instant: Int64) -> Bool {
        let local = instant + Int64(zone.offset(at: instant))
        let before = instant - 60 + Int64(zone.offset(at: instant - 60))
        var minute = before + 60
        while minute < local {
            if matches(expression, minute) { return true }
            minute += 60
        }
        guard matches(expression, local) else { return false }
        return !zone.transitions(in: (instant - 86_400)...instant).contains { change in
            let first = local - Int64(change.before)
            return first < instant && zone.offset(at: first) == change.before
        }
    }

    private static func matches(_ expression: CronExpression, _ local: Int64) -> Bool {
        let day = CivilDay(number: floorDivide(local, 86_400))
        let second = Int(local - day.number * 86_400)
        guard expression.minutes.contains(second / 60 % 60), expression.hours.contains(second / 3600),
            expression.months.contains(day.month)
        else { return false }
        let matches = (expression.days.contains(day.day), expression.weekdays.contains(day.weekday))
        return expression.eitherDay ? matches.0 || matches.1 : matches.0 && matches.1
    }

    private static func anyCron(_ random: inout SeededGenerator) -> String {
        let minutes = ["0", "30", "*/15", "5,35", "10-50/20", "*/7"]
        let hours = ["*", "1-3", "2", "0,2,23", "*/2", "0"]
        let days = ["*", "*", "*/2", "1-15", "31,30,1"]
        let weekdays = ["*", "*", "SUN", "1-5"]
        return [minutes, hours, days, ["*"], weekdays].map { $0.randomElement(using: &random) ?? "*" }
            .joined(separator: " ")
    }

    @Test func whatAStopMissedIsMadeUpForAsThePolicySays() throws {
        let hourly = ScheduleTimes(try CronExpression(parsing: "0 * * * *"), in: .utc)
        let after = Self.instant(2026, 1, 1)
        let now = Self.instant(2026, 1, 1, 5, 30)
        let next = Self.instant(2026, 1, 1, 6)
        #expect(hourly.due(after: after, now: now, .skip) == ([], next))
        #expect(hourly.due(after: after, now: now, .one) == ([Self.instant(2026, 1, 1, 5)], next))
        #expect(hourly.due(after: after, now: now, .all) == ((1...5).map { Self.instant(2026, 1, 1, $0) }, next))
        // A second too late is not missed.
        let late = Self.instant(2026, 1, 1, 5) + 1000
        #expect(hourly.due(after: late - 3_600_000, now: late, .skip).times == [Self.instant(2026, 1, 1, 5)])
        // Years are looked at from their end, and a hundred times are enough.
        let minutely = ScheduleTimes(try CronExpression(parsing: "* * * * *"), in: .utc)
        let years = minutely.due(after: Self.instant(2016, 1, 1), now: now, .all).times
        #expect(years == (0..<100).reversed().map { now - Int64($0) * 60_000 })
        #expect(hourly.due(after: now, now: now, .all) == ([], next))
    }
}
