// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a route does, as its declaration says: `run:start`; in a role also `run:*`.
enum Permission {
    /// Whether it is one; with `isPattern`, all actions of a resource are too.
    static func isWellFormed(_ text: String, isPattern: Bool) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, isWord(parts[0]) else { return false }
        return isWord(parts[1]) || (isPattern && parts[1] == "*")
    }

    /// Up to 64 lower-case letters, digits and `_`, a letter first.
    private static func isWord(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}
