// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The `Retry-After` field of RFC 9110 10.2.3: seconds, or a date.
enum RetryAfter {
    /// Milliseconds from `now` (milliseconds since 1970), at most a day; nil where the text is neither.
    static func milliseconds(_ text: String, now: Int64) -> UInt64? {
        let words = text.split(whereSeparator: \.isWhitespace)
        if words.count == 1, let seconds = UInt64(words[0]) { return min(seconds, 86_400) * 1000 }
        guard let date = seconds(words) else { return nil }
        return UInt64(min(max(date * 1000 - now, 0), 86_400_000))
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the form that senders must use.
    private static func seconds(_ words: [Substring]) -> Int64? {
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT", let day = Int64(words[1]),
            let month = months.firstIndex(of: String(words[2])), let year = Int64(words[3]),
            (1...31).contains(day), (1970...9999).contains(year)
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int64($0) }
        guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2]) else {
            return nil
        }
        return days(year, Int64(month + 1), day) * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]
    }

    /// Days since 1970 in the Gregorian calendar, years counted from March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return y * 365 + y / 4 - y / 100 + y / 400 + dayOfYear - 719_468
    }
}
