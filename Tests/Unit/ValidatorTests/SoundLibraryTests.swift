// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import Validator

/// What is built here keeps the rules.
@Suite(.serialized) struct SoundLibraryTests {
    @Test func thePackageHasPlugins() { #expect(BuiltLibraries.plugins.count >= 15) }

    @Test(arguments: BuiltLibraries.plugins + ["Good", "Journal"]) func everyLibraryPassesTheQuickChecks(_ name: String)
        throws
    {
        var validation = BuiltLibraries.validation(name)
        validation.isQuick = true
        let report = try validation.run()
        #expect(report.faults == [])
        #expect(report.isSound && report.digest.count == 64)
        // PostgreSQL has no server here; everything that needs one is skipped and says so.
        let skipped = report.verdicts.filter { $0.word == "skipped" }.map(\.id)
        #expect(skipped.isEmpty || name == "PostgreSQL", "\(skipped)")
    }

    /// A C library, a Swift one and storage; all of them where a soak asks for it.
    static let thorough =
        ProcessInfo.processInfo.environment["THEATRE_VALIDATE_ALL"] == nil
        ? ["Good", "Offline", "SQLite"] : BuiltLibraries.plugins + ["Good", "Journal"]

    @Test(arguments: thorough) func aCOneASwiftOneAndStoragePassEveryCheck(_ name: String) throws {
        let report = try BuiltLibraries.validation(name).run()
        #expect(report.faults == [])
        #expect(report.verdicts.map(\.id) == CheckTable.all.map(\.id))
        // Some have no operation that the contract says to change the world.
        let skipped = report.verdicts.filter { $0.word == "skipped" }.map(\.id)
        #expect(name == "PostgreSQL" || Set(skipped).isSubset(of: name == "SQLite" ? [] : ["effect"]), "\(skipped)")
    }
}
