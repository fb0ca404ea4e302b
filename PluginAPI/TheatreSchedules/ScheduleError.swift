// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a schedule: INVALID_ARGUMENT `jobs.bad_schedule`, with a pointer to the field.
public struct ScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable reason code.
    public static let reason = "jobs.bad_schedule"
    /// `/cron` or `/time_zone`.
    public var pointer: String
    /// One sentence: what is wrong, and what is expected.
    public var message: String

    /// A fault of one field.
    public init(_ pointer: String, _ message: String) {
        self.pointer = pointer
        self.message = message
    }

    /// `/cron: The minute "61" …`.
    public var description: String { "\(pointer): \(message)" }
}
