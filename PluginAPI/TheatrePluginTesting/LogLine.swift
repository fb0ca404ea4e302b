// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A line that a plugin logged.
public struct LogLine: Sendable, Hashable {
    /// Levels, as in the interface.
    public enum Level: UInt32, Sendable, Hashable {
        case trace, debug, info, notice, warning, error
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
