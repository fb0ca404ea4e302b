// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer
import Testing
import TheatreManifest

@testable import Validator

/// What is built here keeps the rules.
@Suite(.serialized) struct SoundLibraryTests {
    /// Sound fixtures, in C and in Swift.
    static let fixtures = ["Good", "Journal", "Edition", "Parrot", "Relay"]

    @Test func thePackageHasPlugins() { #expect(BuiltLibraries.plugins.count >= 15) }

    @Test(arguments: BuiltLibraries.plugins + fixtures) func everyLibraryPassesTheQuickChecks(_ name: String)
        throws
    {
        var validation = BuiltLibraries.validation(name)
        validation.isQuick = true
        let report = try validation.run()
        #expect(report.faults == [])
        #expect(report.isSound && report.digest.count == 64)
        // PostgreSQL has no server here; everything that needs one is skipped and says so. Below it has one.
        let skipped = report.verdicts.filter { $0.word == "skipped" }.map(\.id)
        #expect(skipped.isEmpty || name == "PostgreSQL", "\(skipped)")
    }

    /// All checks, in every mode: its sandbox has the way to the server that its configuration names.
    @Test func aStorageWithAServerOfItsOwnIsProvedInFrontOfOne() async throws {
        let server = try await PostgreSQLServer.start(PostgreSQLServer.Options(isTrusting: true))
        let configuration = try ConfigurationFile(
            .object([
                "hosts": .array([.string("127.0.0.1")]), "port": .integer(Int64(server.port)),
                "database": .string(try await server.makeDatabase()), "user": .string(PostgreSQLServer.user),
                "sslmode": .string("disable"), "pool_size": .integer(4),
            ]))
        var validation = BuiltLibraries.validation("PostgreSQL")
        validation.configuration = configuration.path
        let report = try validation.run()
        #expect(report.faults == [])
        // A driver has sockets of its own.
        #expect(report.verdicts.filter { $0.word == "skipped" }.map(\.id) == ["egress"])
        #expect(report.verdicts.map(\.id) == CheckTable.all.map(\.id))
        let modes = report.verdicts.first { $0.id == "modes" }?.evidence["compared_with"]
        #expect(modes == .array([.string("isolated"), .string("remote")]))
        try await server.stop()
    }

    /// With this seed a job has an id of 5,000 Chinese characters, which the worker repeats in its error: too much for
    /// the trailers of gRPC, which are cut so that the connection and its other calls go on.
    @Test func anErrorOfManyWordsIsTheSameInEveryMode() throws {
        let verdict = try BuiltLibraries.verdict("Webhook", "modes")
        #expect(verdict.outcome == .passed, "\(verdict.findings)")
        #expect(verdict.evidence["compared_with"] == .array([.string("isolated"), .string("remote")]))
    }

    /// It starts a thread and takes a signal at load, which in a process of its own is nobody else's business.
    @Test func aLibraryThatRunsIsolatedOnlyIsCheckedThroughTheRunner() throws {
        let report = try BuiltLibraries.validation("IsolatedOnly").run()
        #expect(report.faults == [])
        #expect(report.isIsolatedOnly && report.text.contains("it runs isolated only"))
        let left = report.verdicts.filter { $0.word == "skipped" && $0.id != "effect" }
        #expect(left.map(\.id) == ["entry", "older", "newer", "borrowed", "leak", "egress", "modes"])
        for verdict in left {
            guard case .skipped(let why) = verdict.outcome else { continue }
            #expect(why.hasPrefix("it runs isolated only: ") && why.count > 40)
        }
    }

    /// A C library, a Swift one and storage; all of them where a soak asks for it.
    static let thorough =
        ProcessInfo.processInfo.environment["THEATRE_VALIDATE_ALL"] == nil
        ? ["Good", "Offline", "SQLite"] : BuiltLibraries.plugins + fixtures

    @Test(arguments: thorough) func aCOneASwiftOneAndStoragePassEveryCheck(_ name: String) throws {
        let report = try BuiltLibraries.validation(name).run()
        // The Journal sees by a socket whether a job runs twice at the same time, and the validator sees the socket.
        let known = name == "Journal" ? report.faults.filter { $0.hasPrefix("egress: validator.socket: ") } : []
        #expect(report.faults == known)
        #expect(report.verdicts.map(\.id) == CheckTable.all.map(\.id))
        // Some have no operation that the contract says to change the world.
        let skipped = report.verdicts.filter { $0.word == "skipped" }.map(\.id)
        #expect(name == "PostgreSQL" || Set(skipped).isSubset(of: name == "SQLite" ? [] : ["effect"]), "\(skipped)")
    }
}
