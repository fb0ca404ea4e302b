// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreSchedules

/// Hours of the week in which a role counts.
struct RoleHours {
    private static let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let day: Int64 = 86_400_000

    /// Days on which they begin, Sunday first.
    private let days: Set<Int>
    /// Milliseconds since midnight, local time.
    private let from: Int64
    /// After `from`; beyond a day where they end on the next.
    private let until: Int64
    private let zone: TimeZoneRules

    /// Nil for what are no hours, or no time zone.
    init?(_ hours: AccessHours) {
        let numbers = hours.days.map { Self.names.firstIndex(of: $0) }
        guard numbers.count <= 7, !numbers.contains(nil), let from = Self.minutes(hours.from), from < 24 * 60,
            let until = Self.minutes(hours.until), let zone = try? TimeZoneRules(named: hours.timeZone)
        else { return nil }
        days = numbers.isEmpty ? Set(0..<7) : Set(numbers.compactMap(\.self))
        self.from = Int64(from) * 60_000
        self.until = Int64(until > from ? until : until + 24 * 60) * 60_000
        self.zone = zone
    }

    /// When they end, if `now` lies in them; milliseconds since 1970.
    func end(at now: Int64) -> Int64? {
        let local = now + Int64(zone.offset(at: now / 1000)) * 1000
        let today = Self.floor(local)
        // Those that began yesterday may not have ended.
        for midnight in [today, today - Self.day] where days.contains(Self.weekday(midnight)) {
            let start = instant(midnight + from), end = instant(midnight + until)
            if start <= now, now < end { return end }
        }
        return nil
    }

    private func instant(_ local: Int64) -> Int64 { zone.instant(ofLocal: local / 1000) * 1000 }

    private static func floor(_ local: Int64) -> Int64 {
        let rest = local % day
        return local - (rest < 0 ? rest + day : rest)
    }

    /// The first of January 1970 was a Thursday.
    private static func weekday(_ midnight: Int64) -> Int {
        let days = midnight / day + 4
        return Int((days % 7 + 7) % 7)
    }

    /// `08:30`, up to `24:00`.
    private static func minutes(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        let digits = [0, 1, 3, 4].map { Int(bytes[$0]) - 48 }
        guard digits.allSatisfy((0...9).contains) else { return nil }
        let hours = digits[0] * 10 + digits[1], minutes = digits[2] * 10 + digits[3]
        guard minutes < 60, hours < 24 || (hours == 24 && minutes == 0) else { return nil }
        return hours * 60 + minutes
    }
}
