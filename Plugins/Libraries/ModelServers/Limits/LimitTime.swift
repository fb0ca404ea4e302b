// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Times as servers write them into headers about limits: `1m30s`, `17ms`, `6.5`, `2025-06-15T08:00:00Z`,
/// `Sun, 15 Jun 2025 08:00:00 GMT`, or a number of seconds since 1970.
public enum LimitTime {
    /// Milliseconds from `now` (since 1970); nil for what cannot be read, 0 for what has passed.
    public static func milliseconds(until text: String, now: Int64) -> Int64? {
        let text = text.trimmed
        if let number = Double(text) {
            guard number.isFinite, number >= 0 else { return nil }
            // Nobody waits thirty years: such a number is a time, not a duration.
            switch number {
            case ..<1e9: return whole(number * 1000)
            case ..<1e11: return whole(number * 1000).map { max(0, $0 - now) }
            default: return whole(number).map { max(0, $0 - now) }
            }
        }
        return duration(text) ?? (date(text) ?? webDate(text)).map { max(0, $0 - now) }
    }

    /// A duration as Go writes it: numbers, each with its unit, largest first.
    static func duration(_ text: String) -> Int64? {
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            guard let number = Double(String(digits)) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && $0.isNumber) }
            guard let factor = units[String(unit)] else { return nil }
            total += number * factor
            rest = rest.dropFirst(unit.count)
        }
        return whole(total)
    }

    private static let units = [
        "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000,
        "d": 86_400_000,
    ]

    /// RFC 3339, as milliseconds since 1970.
    static func date(_ text: String) -> Int64? {
        let pattern = #/(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)/#
        guard let match = text.wholeMatch(of: pattern)?.output,
            let seconds = seconds(match.1, match.2, match.3, match.4, match.5, match.6)
        else { return nil }
        let fraction = match.7.flatMap { Double("0\($0)") } ?? 0
        return (seconds - offset(match.8)) * 1000 + Int64(fraction * 1000)
    }

    /// Seconds east of Greenwich, of `Z` or `+08:00`.
    private static func offset(_ zone: Substring) -> Int64 {
        guard zone.count == 6, let hours = Int64(zone.dropFirst().prefix(2)), let minutes = Int64(zone.suffix(2)) else {
            return 0
        }
        return (zone.hasPrefix("-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// RFC 9110, section 5.6.7, in the form that is not obsolete.
    private static func webDate(_ text: String) -> Int64? {
        let pattern = #/[A-Za-z]{3}, (\d\d) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT/#
        guard let match = text.wholeMatch(of: pattern)?.output, let month = months.firstIndex(of: String(match.2)),
            let seconds = seconds(match.3, "\(month + 1)", match.1, match.4, match.5, match.6)
        else { return nil }
        return seconds * 1000
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func seconds(
        _ year: Substring, _ month: Substring, _ day: Substring, _ hour: Substring, _ minute: Substring,
        _ second: Substring
    ) -> Int64? {
        guard let year = Int64(year), let month = Int64(month), let day = Int64(day), let hour = Int64(hour),
            let minute = Int64(minute), let second = Int64(second), (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        // Days of the Gregorian calendar, years beginning in March.
        let shifted = month <= 2 ? year - 1 : year
        let days =
            365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day
        return (days - 719_469) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// Rounded up, so that nobody comes too early; nil where 64 bits do not hold it.
    static func whole(_ value: Double) -> Int64? { Int64(exactly: value.rounded(.up)) }
}

extension String {
    fileprivate var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
