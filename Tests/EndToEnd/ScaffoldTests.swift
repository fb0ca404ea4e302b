// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest
import Toolchains

/// What `theatre plugin new` makes is built with the language's own tool, without a network, proved and served untouched.
@Suite(.serialized) struct ScaffoldTests {
    static let languages = Toolchain.allCases

    /// A plugin, made and built.
    private struct Made {
        let language: Toolchain
        let name: String
        let place: TemporaryFolder
        var folder: String { place.path(name) }
        let library: String

        /// The path of its route: `c-greeter`.
        var path: String { "\(language.rawValue)-greeter" }
    }

    private func make(_ language: Toolchain, _ name: String, contract: String) async throws -> Made {
        try language.require()
        let place = try TemporaryFolder()
        let folder = place.path(name)
        let result = try await theatre(
            [
                "plugin", "new", name, "--contract", contract, "--language", language.rawValue, "--directory", folder,
                "--json",
            ], environment: ["THEATRE_HOME": Sources.root])
        guard result.status == 0 else { throw Unexpected(result.output) }
        let report = try JSONValue(json: Data(result.output.utf8))
        guard let library = report["library"]?.string else { throw Unexpected(result.output) }
        return Made(language: language, name: name, place: place, library: "\(folder)/\(library)")
    }

    /// The tool's own commands: build, then the plugin's tests.
    private func build(_ made: Made, with settings: String = "") async throws {
        let program = made.language.program
        let commands =
            switch made.language {
            case .c: "make CFLAGS='-O2 -Werror' && make test"
            case .rust: "RUSTFLAGS='-D warnings' cargo build --release --offline && cargo test --offline"
            case .go:
                "'\(program)' build -buildmode=c-shared -o lib\(made.name).so && '\(program)' vet . && '\(program)' test"
            case .zig: "'\(program)' build && '\(program)' build test"
            }
        let caches = "\(Toolchain.root)/.build/caches"
        try FileManager.default.createDirectory(atPath: caches, withIntermediateDirectories: true)
        _ = try await shell(
            "export \(made.language.settings(caches: caches)) \(settings)\n\(commands)", in: made.folder, seconds: 300)
    }

    private func validate(_ made: Made) async throws {
        // All of the checks where a soak asks for them.
        let isThorough = ProcessInfo.processInfo.environment["THEATRE_VALIDATE_ALL"] != nil
        let result = try await theatre(
            ["plugin", "validate", made.library] + (isThorough ? [] : ["--quick"]), seconds: 1200)
        #expect(result.status == 0, "\(made.language): \(result.output)")
    }

    private func deployment(_ made: Made, mode: String) throws -> TemporaryFolder {
        try TemporaryFolder([
            "00-host.yaml": BadPluginTests.host,
            "10-sqlite.yaml": "plugin: SQLite\ncritical: true\ngrants: {state_folder: true}\n",
            "50-made.yaml": "plugin: \(made.name)\ninstance: made\nmode: \(mode)\n",
        ])
    }

    private func libraries(_ made: Made) -> String {
        let folder = URL(filePath: made.library).deletingLastPathComponent().path
        return "\(folder):\(BuildFolder.path)"
    }

    private func serve(_ made: Made, mode: String) async throws {
        let deployment = try deployment(made, mode: mode)
        let server = try await ServerProcess.start(deployment.root, libraries: libraries(made))
        #expect(server.instance("made")?["state"]?.string == "READY", "\(server.output)")
        for word in ["hello", "%E6%88%8F"] {
            let answer = try await server.client.get("/\(made.path)/\(word)")
            #expect(answer.status == 200)
            #expect(answer.text == "/\(made.path)/\(word)")
            #expect(answer.headers.first(name: "content-type") == "text/plain; charset=utf-8")
        }
        try await server.stop()
    }

    @Test(arguments: languages) func aNewPluginIsBuiltProvedAndServed(_ language: Toolchain) async throws {
        let made = try await make(language, "\(language.rawValue.capitalized)Greeter", contract: "http.Handler")
        try await build(made)
        try await validate(made)
        try await serve(made, mode: "isolated")
        guard language == .go else { return try await serve(made, mode: "inproc") }
        let refused = try deployment(made, mode: "inproc")
        let check = try await theatre(["check", "--plugins-d", refused.root, "--plugins", libraries(made)])
        #expect(check.status != 0)
        #expect(check.output.contains("mode.forbidden"), "\(check.output)")
    }

    /// Contracts with streams, maps, oneofs, options, and those that ask more of a manifest.
    @Test(
        arguments: languages,
        ["sql.Database", "blob.Store", "content.Chat", "culture.Pack", "payment.Provider", "jobs.Worker"])
    func otherContractsAreProvedToo(_ language: Toolchain, _ contract: String) async throws {
        // A compiler of some seconds is run for two of them.
        guard [.c, .rust].contains(language) || ["sql.Database", "culture.Pack"].contains(contract) else { return }
        let made = try await make(language, "Provider", contract: contract)
        try await build(made)
        try await validate(made)
    }

    /// The system's own Rust, which is 1.63 on Debian 12, whatever else comes first in the path.
    @Test func theSystemsOwnRustDoesToo() async throws {
        try Toolchain.rust.require(path: "/usr/bin")
        let made = try await make(.rust, "SystemsGreeter", contract: "http.Handler")
        try await build(made, with: "PATH=\"/usr/bin:$PATH\"")
        try await validate(made)
    }

    @Test func whatCannotBeMadeSaysWhy() async throws {
        let folder = try TemporaryFolder(["kept": "as it is"])
        let cases = [
            (["lower", "--contract", "http.Handler"], "is no name of a plugin"),
            (["Named", "--contract", "http.Handlr"], "did you mean theatre.http.v1.Handler?"),
            (
                ["Named", "--contract", "Provider"],
                "could be theatre.auth.v1.Provider, theatre.content.v1.Provider, theatre.payment.v1.Provider"
            ),
            (["Named", "--contract", "http.Handler", "--directory", folder.root], "is not empty"),
        ]
        for (arguments, message) in cases {
            let result = try await theatre(
                ["plugin", "new", "--language", "c"] + arguments, environment: ["THEATRE_HOME": Sources.root])
            #expect(result.status != 0)
            #expect(result.output.contains(message), "\(result.output)")
        }
        let dry = try await theatre(
            [
                "plugin", "new", "Named", "--contract", "http.Handler", "--language", "zig", "--directory",
                folder.path("new"), "--dry-run",
            ],
            environment: ["THEATRE_HOME": Sources.root])
        #expect(dry.status == 0)
        #expect(dry.output.contains("would write \(folder.path("new"))/build.zig"), "\(dry.output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["kept"])
    }
}
