// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a library or an instance cannot serve: who, what was expected, what was found, and what to do.
public struct LoadError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The plugin, or the instance where it is known.
    public var plugin: String
    /// Stable dotted code, such as `plugin.no_entry`.
    public var code: String
    /// What was expected.
    public var expected: String
    /// What was found.
    public var found: String
    /// What to do.
    public var fix: String

    /// An error in four parts.
    public init(plugin: String, code: String, expected: String, found: String, fix: String) {
        self.plugin = plugin
        self.code = code
        self.expected = expected
        self.found = found
        self.fix = fix
    }

    /// Whether it is expected to pass by itself, as where a server elsewhere is out of reach.
    var isPassing: Bool { code == Self.away }

    /// The code of an instance whose server is out of reach.
    public static let away = "remote.away"

    /// `Ledger: plugin.no_entry: expected …, found …; fix: …`.
    public var description: String { "\(plugin): \(code): expected \(expected), found \(found); fix: \(fix)" }
}
