// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// `vault:INSTANCE/PATH#FIELD`: a secret that an instance of `plugins.d` reads from a vault. Without `#FIELD` it is the
/// field `value`.
public struct VaultReference: Sendable, Hashable {
    /// The instance that reads it.
    public let instance: String
    /// Where it is in the vault, without a slash at either end.
    public let path: String
    /// Its field; empty for the source's own default.
    public let field: String

    /// What provides such secrets.
    public static let capability = "theatre.secretsource.v1.Source"

    /// Whether a source is of this kind, well-formed or not.
    public static func isKind(of source: String) -> Bool { source.hasPrefix("vault:") }

    /// Reads a source; nil where it is of another kind, or names no instance, no path, or an empty part of one.
    public init?(_ source: String) {
        guard Self.isKind(of: source) else { return nil }
        let halves = source.dropFirst(6).split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, source.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            parts[1].split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }),
            halves.count == 1 || !halves[1].isEmpty
        else { return nil }
        instance = String(parts[0])
        path = String(parts[1])
        field = halves.count == 2 ? String(halves[1]) : ""
    }
}
