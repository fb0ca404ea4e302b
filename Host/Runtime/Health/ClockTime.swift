// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A time of day in UTC, for sentences: `12:03:05`.
struct ClockTime: CustomStringConvertible {
    private let seconds: UInt64

    /// - Parameter wall: nanoseconds since 1970.
    init(wall: UInt64) { seconds = wall / 1_000_000_000 % 86_400 }

    var description: String {
        [seconds / 3600, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
