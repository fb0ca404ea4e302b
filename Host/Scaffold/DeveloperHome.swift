// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The folder that holds `PluginAPI`: the header, the contracts, the SDK and the templates that plugins are made from.
///
/// In a source tree it is the root of the tree; installed it is `PREFIX/share/theatreos`.
public struct DeveloperHome: Sendable, Hashable {
    /// Its path.
    public let path: String

    /// Takes a folder as it is.
    public init(path: String) { self.path = path }

    /// The template of a language, a folder.
    public func template(_ language: Language) -> String { "\(path)/PluginAPI/Templates/\(language.rawValue)" }

    /// The descriptor set of the contracts that TheatreOS brings.
    public var contracts: String { "\(path)/PluginAPI/Contracts/contracts.binpb" }

    /// The folder of the interface's headers.
    public var headers: String { "\(path)/PluginAPI/CTheatrePlugin/include" }
}

/// A language that plugins are made in.
public enum Language: String, Sendable, CaseIterable {
    case swift, c, rust, go, zig
}
