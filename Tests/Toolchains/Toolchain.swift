// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

/// The compilers of the languages that plugins are made in, as the tests use them: without a network.
public enum Toolchain: String, CaseIterable, Sendable {
    case c, rust, go, zig

    /// The root of the package.
    public static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Where `Tests/Checks/install-languages` puts what comes from PyPI.
    private static let environment = "\(root)/.build/languages"

    /// What makes and links.
    public var program: String {
        switch self {
        case .c: "cc"
        case .rust: "cargo"
        case .go: "\(Self.environment)/bin/go"
        case .zig: "\(Self.environment)/bin/python-zig"
        }
    }

    /// Whether it is installed.
    public var isThere: Bool {
        program.hasPrefix("/")
            ? FileManager.default.isExecutableFile(atPath: program)
            : (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
                .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }

    /// Those that are installed.
    public static var installed: [Toolchain] { allCases.filter(\.isThere) }

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
