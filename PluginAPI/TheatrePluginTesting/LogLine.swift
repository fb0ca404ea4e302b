// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A line that a plugin logged.
public struct LogLine: Sendable, Hashable {
    /// Levels, as in the interface.
    public enum Level: UInt32, Sendable, Hashable {
        /// For one who follows a single call.
        case trace
        /// For one who looks for a fault.
        case debug
        /// Of interest in operation.
        case info
        /// Rare and of note.
        case notice
        /// Something is amiss and was dealt with.
        case warning
        /// Somebody has to look.
        case error
    }

    /// Who logged it.
    public let instance: String
    /// How much it matters.
    public let level: Level
    /// Constant text.
    public let message: String
    /// A JSON object, or empty.
    public let fields: String
}
