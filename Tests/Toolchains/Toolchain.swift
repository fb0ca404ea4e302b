// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

/// The compilers of the languages that plugins are made in, as the tests use them: without a network.
public enum Toolchain: String, CaseIterable, Sendable {
    case c, rust, go, zig

    /// The root of the package.
    public static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// What makes and links.
    public var program: String { program(below: Self.root) }

    /// `Tests/Checks/install-languages` puts what comes from PyPI below the root.
    private func program(below root: String) -> String {
        switch self {
        case .c: "cc"
        case .rust: "cargo"
        case .go: "\(root)/.build/languages/bin/go"
        case .zig: "\(root)/.build/languages/bin/python-zig"
        }
    }

    /// What installs it.
    private var installing: String {
        switch self {
        case .c: "apt-get install build-essential"
        case .rust: "apt-get install cargo rustc"
        case .go, .zig: "Tests/Checks/install-languages"
        }
    }

    /// Fails a test that needs the compiler where that is missing: a plugin's language is never left out in silence.
    ///
    /// - Throws: `ShellError` with the command that installs it.
    public func require(
        path: String = ProcessInfo.processInfo.environment["PATH"] ?? "", root: String = Toolchain.root
    ) throws {
        let program = program(below: root)
        let places = program.hasPrefix("/") ? [program] : path.split(separator: ":").map { "\($0)/\(program)" }
        guard !places.contains(where: FileManager.default.isExecutableFile) else { return }
        throw ShellError(
            description: "There is no \(program) for plugins in \(rawValue); run `\(installing)` in \(root), or "
                + "`make test-packages`.")
    }

    /// What a shell puts before a command: nothing is fetched, nothing is kept outside of `caches`.
    public func settings(caches: String) -> String {
        switch self {
        case .c, .rust: "CARGO_NET_OFFLINE=true"
        case .go:
            "HOME='\(caches)' GOCACHE='\(caches)/go' GOPATH='\(caches)/gopath' GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOTELEMETRY=off"
        case .zig: "ZIG_GLOBAL_CACHE_DIR='\(caches)/zig' ZIG_LOCAL_CACHE_DIR='\(caches)/zig-local'"
        }
    }
}
