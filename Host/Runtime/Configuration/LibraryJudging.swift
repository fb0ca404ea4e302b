// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry

/// Whoever judges libraries before they are loaded.
public protocol LibraryJudging: Sendable {
    /// Everything that is wrong with running this library as this instance, the gravest first.
    func findings(_ instance: InstanceDeclaration, _ file: PluginFile) -> [LibraryFinding]
}

/// What was found about one instance's library.
public struct LibraryFinding: Sendable, Hashable {
    /// What is wrong and what to do.
    public var error: LoadError
    /// The instance must not run; else it is only said.
    public var refuses: Bool

    /// A finding.
    public init(error: LoadError, refuses: Bool) {
        self.error = error
        self.refuses = refuses
    }
}
