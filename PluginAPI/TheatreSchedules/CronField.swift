// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What one of the five fields may hold.
struct CronField: Sendable {
    let name: String
    let bounds: ClosedRange<Int>
    /// Names of the first values, in order from the lower bound.
    var names: [String] = []

    static let minute = CronField(name: "minute", bounds: 0...59)
    static let hour = CronField(name: "hour", bounds: 0...23)
    static let day = CronField(name: "day of month", bounds: 1...31)
    static let month = CronField(
        name: "month", bounds: 1...12,
        names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"])
    static let weekday = CronField(
        name: "day of week", bounds: 0...7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])

    /// The values of a list.
    func parse(_ text: Substring) throws(ScheduleError) -> Set<Int> {
        var values: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            values.formUnion(try parsePart(part))
        }
        return values
    }

    private func parsePart(_ part: Substring) throws(ScheduleError) -> Set<Int> {
        let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var step = 1
        if pieces.count == 2 {
            guard let number = number(pieces[1]), (1...bounds.upperBound).contains(number) else {
                throw fault(part, "a step of 1 to \(bounds.upperBound) is expected after the slash")
            }
            step = number
        }
        let range: ClosedRange<Int>
        let ends = pieces[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        if pieces[0] == "*" {
            // A star over the days of the week must not count Sunday twice.
            range = bounds.lowerBound...(bounds.upperBound - (names.count == 7 ? 1 : 0))
        } else if ends.count == 2 {
            let low = try value(ends[0], part)
            var high = try value(ends[1], part)
            if names.count == 7, high == 0, low > 0 { high = 7 }
            guard low <= high else { throw fault(part, "the range runs backwards") }
            range = low...high
        } else {
            let low = try value(pieces[0], part)
            range = pieces.count == 2 ? low...max(low, bounds.upperBound - (names.count == 7 ? 1 : 0)) : low...low
        }
        return Set(stride(from: range.lowerBound, through: range.upperBound, by: step))
    }

    private func value(_ text: Substring, _ part: Substring) throws(ScheduleError) -> Int {
        if let index = names.firstIndex(of: text.uppercased()) { return bounds.lowerBound + index }
        guard let number = number(text), bounds.contains(number) else {
            let known = names.isEmpty ? "" : ", or \(names[0]) to \(names[names.count - 1]),"
            throw fault(part, "\(bounds.lowerBound) to \(bounds.upperBound)\(known) is expected")
        }
        return number
    }

    private func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    private func fault(_ part: Substring, _ expected: String) -> ScheduleError {
        ScheduleError("/cron", "The \(name) is \"\(part.prefix(32))\"; \(expected).")
    }
}
