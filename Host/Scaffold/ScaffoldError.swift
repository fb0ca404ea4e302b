// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why no plugin, or no codec, was made.
public struct ScaffoldError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence with the reason and what to do.
    public let description: String

    init(_ description: String) { self.description = description }
}
