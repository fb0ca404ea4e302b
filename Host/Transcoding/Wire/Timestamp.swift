// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// RFC 3339 to milliseconds since 1970 and back.
enum Timestamp {
    /// 0001-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z.
    static let range: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    /// Milliseconds; finer digits are cut off. Nil for anything but a date and time with an offset.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        func digits(_ start: Int, _ count: Int) -> Int64? {
            guard start + count <= text.count else { return nil }
            var value: Int64 = 0
            for index in start..<start + count {
                guard text[index] &- 0x30 < 10 else { return nil }
                value = value * 10 + Int64(text[index] - 0x30)
            }
            return value
        }
        func has(_ index: Int, _ wanted: UInt8) -> Bool { index < text.count && text[index] == wanted }
        guard text.count >= 20, let year = digits(0, 4), has(4, 0x2D), let month = digits(5, 2), has(7, 0x2D),
            let day = digits(8, 2), text[10] | 0x20 == UInt8(ascii: "t"), let hour = digits(11, 2), has(13, 0x3A),
            let minute = digits(14, 2), has(16, 0x3A), let second = digits(17, 2), year > 0, (1...12).contains(month),
            day >= 1, day <= days(of: month, year), hour < 24, minute < 60, second < 60
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if has(index, UInt8(ascii: ".")) {
            index += 1
            let start = index
            while index < text.count, text[index] &- 0x30 < 10 {
                if index - start < 3 { fraction = fraction * 10 + Int64(text[index] - 0x30) }
                index += 1
            }
            guard index > start, index - start <= 9 else { return nil }
            for _ in 0..<max(0, 3 - (index - start)) { fraction *= 10 }
        }
        guard index < text.count else { return nil }
        var offset: Int64 = 0
        if text[index] | 0x20 == UInt8(ascii: "z") {
            guard index + 1 == text.count else { return nil }
        } else {
            guard has(index, 0x2B) || has(index, 0x2D), index + 6 == text.count, has(index + 3, 0x3A),
                let hours = digits(index + 1, 2), let minutes = digits(index + 4, 2), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (has(index, 0x2D) ? -1 : 1)
        }
        let milliseconds =
            ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offset) * 60_000 + second * 1000 + fraction
        return range.contains(milliseconds) ? milliseconds : nil
    }

    /// Appends `2026-11-22T04:16:27.123Z`; false out of range.
    static func write(_ milliseconds: Int64, into output: inout [UInt8]) -> Bool {
        guard range.contains(milliseconds) else { return false }
        let day = (milliseconds >= 0 ? milliseconds : milliseconds - 86_399_999) / 86_400_000
        var rest = milliseconds - day * 86_400_000
        let (year, month, dayOfMonth) = date(day)
        func put(_ value: Int64, _ count: Int, _ after: UInt8) {
            var divisor: Int64 = count == 4 ? 1000 : count == 3 ? 100 : 10
            while divisor > 0 {
                output.append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
                divisor /= 10
            }
            output.append(after)
        }
        put(year, 4, UInt8(ascii: "-"))
        put(month, 2, UInt8(ascii: "-"))
        put(dayOfMonth, 2, UInt8(ascii: "T"))
        put(rest / 3_600_000, 2, UInt8(ascii: ":"))
        rest %= 3_600_000
        put(rest / 60_000, 2, UInt8(ascii: ":"))
        rest %= 60_000
        put(rest / 1000, 2, UInt8(ascii: "."))
        put(rest % 1000, 3, UInt8(ascii: "Z"))
        return true
    }

    private static func days(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, eras have 400.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let index = (5 * dayOfYear + 2) / 153
        let month = index < 10 ? index + 3 : index - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * index + 2) / 5 + 1)
    }
}
