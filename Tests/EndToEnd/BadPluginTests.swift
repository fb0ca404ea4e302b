// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// Each deliberately bad plugin beside a good one: the message is precise and the rest serves.
@Suite(.serialized) struct BadPluginTests {
    static let host = "development: true\ncontrol_seconds: 1\ndrain_seconds: 1\n"
    static let sound = [
        "00-host.yaml": host, "10-sqlite.yaml": "plugin: SQLite\ncritical: true\ngrants: {state_folder: true}\n",
        "20-good.yaml": "plugin: Good\n",
    ]

    /// A plugin that fails at run time: its routes answer 503, everything else serves.
    struct Failing: Sendable, CustomTestStringConvertible {
        let plugin: String
        let message: String
        var testDescription: String { plugin }
        /// `/fixtures/wrong-major` for WrongMajor.
        var path: String {
            "/fixtures/"
                + plugin.enumerated().map { $1.isUppercase && $0 > 0 ? "-\($1.lowercased())" : $1.lowercased() }
                .joined()
        }
    }

    /// Of the contracts in LiesOfContracts, which grow.
    private static let contractsSize =
        (try? Data(contentsOf: URL(filePath: "\(Sources.root)/Tests/Fixtures/LiesOfContracts/contracts.binpb")))?.count
        ?? -1

    /// One for each thing that a table can say otherwise than the file it is in.
    static let lies = [
        ("Size", "a table of at least 104 bytes, as revision 0 has, found one of 24 bytes"),
        ("Major", "ABI major 1, as the manifest says, found 7"),
        ("Revision", "a table that does with host revision 0, as the manifest says, found it needs revision 99"),
        ("Name", "name LiesOfName, as the manifest says, found Other"),
        ("Manifest", "the manifest of section .theatre.manifest, 738 bytes, found another of 2 bytes"),
        ("Contracts", "the contracts of section .theatre.contracts, \(contractsSize) bytes, found others of 2 bytes"),
        ("Create", "a create function, found null"),
    ].map { what, text in
        Failing(
            plugin: "LiesOf\(what)",
            message: "LiesOf\(what): plugin.lies: expected \(text); "
                + "fix: build the library, its manifest and its contracts together")
    }

    static let failing =
        lies + [
            Failing(
                plugin: "LiesOfEntry",
                message: "LiesOfEntry: plugin.no_entry: expected the symbol theatre_plugin_v1_LiesOfEntry, "
                    + "found none, or one that returned null; fix: declare THEATRE_PLUGIN(LiesOfEntry, …)"),
            Failing(
                plugin: "WrongMajor",
                message: "WrongMajor: plugin.abi_major: expected ABI major 1, found 2; "
                    + "fix: build it against this host's theatre_plugin.h"),
            Failing(
                plugin: "NewerHost",
                message: "NewerHost: plugin.newer_host: expected a plugin that does with host revision 0, "
                    + "found it needs revision 99; "
                    + "fix: run a newer host, or build the plugin with a lower min_host_revision"),
            Failing(
                plugin: "NoEntry",
                message: "NoEntry: plugin.no_entry: expected the exported symbol theatre_plugin_v1_NoEntry, "
                    + "found theatre_plugin_v1_Other; "
                    + "fix: declare THEATRE_PLUGIN(NoEntry, …) and export it in the version script"),
            Failing(
                plugin: "Lies",
                message: "Lies: plugin.lies: expected version 1.0.0, as the manifest says, found 9.9.9; "
                    + "fix: build the library, its manifest and its contracts together"),
            Failing(
                plugin: "Stunted",
                message: "Stunted: plugin.lies: expected a table of at least 104 bytes, as revision 0 has, "
                    + "found one of 103 bytes; fix: build the library, its manifest and its contracts together"),
            Failing(
                plugin: "ThrowsInCreate",
                message: "bad (ThrowsInCreate): instance.create_failed: expected an instance, "
                    + "found FAILED_PRECONDITION fixture.no_weights: The weights are not where they should be.; "
                    + "fix: correct its configuration in plugins.d, or what the message names, and reload"),
            Failing(
                plugin: "HangsInActivate",
                message: "bad (HangsInActivate): instance.activate_hangs: expected an answer of activate within 1 s, "
                    + "found none; fix: see the plugin's log; raise control_seconds if it is only slow"),
        ]

    @Test(arguments: failing) func aFaultyPluginClosesItsRoutesAndNoOthers(_ bad: Failing) async throws {
        let deployment = try TemporaryFolder(Self.sound.merging(["50-bad.yaml": Self.instance(bad.plugin)]) { $1 })
        let server = try await ServerProcess.start(deployment.root)
        #expect(server.instance("bad")?["state"]?.string == "QUARANTINED")
        #expect(server.instance("bad")?["reason"]?.string == bad.message)
        #expect(server.instance("good")?["state"]?.string == "READY")
        #expect(server.output.contains(bad.message))
        let closed = try await server.client.get(bad.path)
        #expect(closed.status == 503)
        let message = try closed.json["message"]?.string ?? ""
        #expect(message.contains(bad.message), "\(message)")
        #expect(try await server.client.get("/fixtures/good").text == "served")
        #expect(try await server.client.get("/readyz").status == 200)
        try await server.stop()
    }

    /// What the process of an isolated instance compares; it has the name alone of what the host read.
    @Test(arguments: ["LiesOfSize", "LiesOfMajor", "LiesOfRevision", "LiesOfName", "LiesOfCreate"])
    func aLieIsFoundInAProcessOfItsOwnToo(_ plugin: String) async throws {
        let files = Self.sound.merging(["50-bad.yaml": Self.instance(plugin) + "mode: isolated\n"]) { $1 }
        let deployment = try TemporaryFolder(files)
        let server = try await ServerProcess.start(deployment.root)
        let lie = try #require(Self.lies.first { $0.plugin == plugin })
        #expect(server.instance("bad")?["state"]?.string == "QUARANTINED")
        let reason = server.instance("bad")?["reason"]?.string ?? ""
        #expect(reason == "bad (\(plugin)): " + lie.message.dropFirst(plugin.count + 2))
        #expect(try await server.client.get("/fixtures/good").text == "served")
        try await server.stop()
    }

    @Test(arguments: failing) func aCriticalFaultyPluginStopsTheStart(_ bad: Failing) async throws {
        let files = Self.sound.merging(["50-bad.yaml": Self.instance(bad.plugin) + "critical: true\n"]) { $1 }
        let result = try await serve(try TemporaryFolder(files))
        #expect(result.status == 1)
        #expect(result.output.contains(bad.message), "\(result.output)")
    }

    @Test func aFileThatIsNoLibraryIsNamedAndTheRestServes() async throws {
        let libraries = try TemporaryFolder(["libNotALibrary.so": "this is no library\n"])
        for name in ["libGood.so", "libSQLite.so"] {
            try FileManager.default.createSymbolicLink(
                atPath: libraries.path(name), withDestinationPath: "\(BuildFolder.path)/\(name)")
        }
        let deployment = try TemporaryFolder(Self.sound.merging(["50-bad.yaml": Self.instance("NotALibrary")]) { $1 })
        let server = try await ServerProcess.start(deployment.root, libraries: libraries.root)
        #expect(server.instance("bad")?["state"]?.string == "QUARANTINED")
        #expect(
            server.instance("bad")?["reason"]?.string
                == "NotALibrary: plugin.not_a_library: expected a shared library, found a file that is not an ELF file; "
                + "fix: build the plugin as a dynamic library")
        #expect(try await server.client.get("/fixtures/good").text == "served")
        try await server.stop()
    }

    /// Something the files declare wrongly: nothing starts, and a reload leaves what serves.
    struct Declared: Sendable, CustomTestStringConvertible {
        let name: String
        let file: String
        let message: String
        var testDescription: String { name }
    }

    static let declared = [
        Declared(
            name: "BadConfig", file: "plugin: BadConfig\ninstance: bad\nconfig:\n  depth: eleven\n",
            message: "50-bad.yaml:4: instance.config: config/depth of instance \"bad\" is \"eleven\"; "
                + "an integer is expected. Correct the value as the README of BadConfig says."),
        Declared(
            name: "NeedsGrant", file: "plugin: NeedsGrant\ninstance: bad\n",
            message: "50-bad.yaml:1: grant.missing: NeedsGrant needs egress to api.example.com, which instance \"bad\" "
                + "is not granted. Add \"api.example.com\" to grants.egress."),
        Declared(
            name: "Duplicate", file: "plugin: Good\ninstance: good\n",
            message: "50-bad.yaml:1: instance.duplicate: Instance \"good\" is declared twice, "
                + "first at 20-good.yaml:1. Give one of them another name with the key instance."),
        Declared(
            name: "OddRoute", file: "plugin: OddRoute\ninstance: bad\n",
            message: "50-bad.yaml:1: http.route_invalid: "),
        Declared(
            name: "Unguarded", file: "plugin: Unguarded\ninstance: bad\n",
            message: "50-bad.yaml:1: http.route_unguarded: "),
    ]

    @Test(arguments: declared) func whatIsDeclaredWrongStopsTheStart(_ bad: Declared) async throws {
        let result = try await serve(try TemporaryFolder(Self.sound.merging(["50-bad.yaml": bad.file]) { $1 }))
        #expect(result.status == 1)
        #expect(result.output.contains(bad.message), "\(result.output)")
    }

    @Test(arguments: declared) func whatIsDeclaredWrongIsNotAppliedByAReload(_ bad: Declared) async throws {
        let deployment = try TemporaryFolder(Self.sound)
        let server = try await ServerProcess.start(deployment.root)
        try deployment.write("50-bad.yaml", bad.file)
        try await reloadIsRefused(server, bad.message)
        try await server.stop()
    }

    @Test func aPluginThatFailsAtAReloadLeavesTheOldTableServing() async throws {
        let deployment = try TemporaryFolder(Self.sound)
        let server = try await ServerProcess.start(deployment.root)
        try deployment.write("50-bad.yaml", Self.instance("ThrowsInCreate"))
        try await reloadIsRefused(server, "bad (ThrowsInCreate): instance.create_failed")
        #expect(try await server.client.get("/fixtures/throws-in-create").status == 404)
        try deployment.remove("50-bad.yaml")
        server.hangUp()
        try await eventually("a sound deployment is applied") {
            server.output.contains("plugins.d was read again") ? true : nil
        }
        #expect(try await server.client.get("/fixtures/good").text == "served")
        try await server.stop()
    }

    private func reloadIsRefused(_ server: ServerProcess, _ message: String) async throws {
        server.hangUp()
        try await eventually("the reload is refused") {
            server.output.contains("plugins.d was not applied") ? true : nil
        }
        let logged = server.output.replacing("\\\"", with: "\"")
        #expect(logged.contains(message), "\(server.output)")
        #expect(try await server.client.get("/fixtures/good").text == "served")
        #expect(try await server.client.get("/readyz").status == 200)
    }

    static func instance(_ plugin: String) -> String { "plugin: \(plugin)\ninstance: bad\n" }

    private func serve(_ deployment: TemporaryFolder) async throws -> CommandResult {
        let state = try TemporaryFolder()
        return try await theatre(
            ["serve", "--state", state.root, "--port", "0"] + ServerProcess.options(deployment.root, nil))
    }
}
