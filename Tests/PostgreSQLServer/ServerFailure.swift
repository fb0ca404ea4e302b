// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a server did not do what a test needs.
public struct ServerFailure: Error, CustomStringConvertible {
    /// In words.
    public let description: String

    init(_ description: String) { self.description = description }
}
