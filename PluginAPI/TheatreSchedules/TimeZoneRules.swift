// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How far local time is ahead of UTC, at any instant: the transitions of a TZif file, and its rule for what comes
/// after the last. All times are seconds since 1970.
public struct TimeZoneRules: Sendable, Hashable {
    /// UTC.
    public static let utc = TimeZoneRules(initial: 0, instants: [], offsets: [], rule: nil)

    /// Seconds ahead of UTC before the first transition.
    let initial: Int
    /// When the offset changes, in order.
    let instants: [Int64]
    /// To what, for each of `instants`.
    let offsets: [Int]
    /// From the last of `instants` on.
    let rule: PosixRule?

    /// Seconds that local time is ahead of UTC at an instant.
    public func offset(at instant: Int64) -> Int {
        guard let last = instants.last else { return rule?.offset(at: instant) ?? initial }
        if instant >= last, let rule { return rule.offset(at: instant) }
        let index = firstIndex(after: instant)
        return index == 0 ? initial : offsets[index - 1]
    }

    /// Changes of the offset within a range of instants, in order.
    func transitions(in range: ClosedRange<Int64>) -> [Transition] {
        var found: [Transition] = []
        var index = firstIndex(after: range.lowerBound - 1)
        while index < instants.count, instants[index] <= range.upperBound {
            let before = index == 0 ? initial : offsets[index - 1]
            found.append(Transition(instant: instants[index], before: before, after: offsets[index]))
            index += 1
        }
        if let rule, range.upperBound > instants.last ?? Int64.min {
            let start = max(range.lowerBound, (instants.last ?? Int64.min + 1) + 1)
            found += rule.transitions(in: start...max(start, range.upperBound))
        }
        return found.filter { $0.before != $0.after }
    }

    /// The instant that a local time stands for: the first where it exists twice, and where the clock passes over it
    /// the instant at which it does.
    ///
    /// - Parameter local: seconds since 1970 as if the local time were UTC.
    public func instant(ofLocal local: Int64) -> Int64 {
        // No zone was ever more than a day from UTC.
        let window = (local - Self.day)...(local + Self.day)
        let changes = transitions(in: window)
        var candidates = [offset(at: window.lowerBound)]
        for change in changes { candidates.append(change.after) }
        for candidate in candidates {
            let instant = local - Int64(candidate)
            if offset(at: instant) == candidate { return instant }
        }
        let gap = changes.first {
            local - Int64($0.before) >= $0.instant && local - Int64($0.after) < $0.instant
        }
        return gap?.instant ?? local - Int64(candidates[0])
    }

    static let day: Int64 = 100_000

    private func firstIndex(after instant: Int64) -> Int {
        var low = 0
        var high = instants.count
        while low < high {
            let middle = (low + high) / 2
            if instants[middle] <= instant { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A change of the offset.
struct Transition: Sendable, Hashable {
    var instant: Int64
    /// Seconds ahead of UTC.
    var before: Int
    /// Seconds ahead of UTC.
    var after: Int
}
