// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime
import Testing
import TheatreContracts

@testable import Trust

/// Trials in a child, which here is a script that ends as it is told.
@Suite struct LibraryProbeTests {
    private let folder: String

    init() throws {
        folder = "\(FileManager.default.temporaryDirectory.path)/probe-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// A probe whose child counts its runs and then does what `then` says.
    private func probe(_ then: String) throws -> LibraryProbe {
        let program = "\(folder)/program"
        try Data("#!/bin/sh\necho run >> \(folder)/runs\n\(then)\n".utf8).write(to: URL(filePath: program))
        chmod(program, 0o755)
        return LibraryProbe(program: program, folder: folder, version: "1", seconds: 1)
    }

    private func plan() throws -> InstancePlan {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let built = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
        return InstancePlan(
            name: "good", file: try PluginFile(name: "Good", path: "\(built)/libGood.so"), isCritical: false,
            configuration: Array("{}".utf8), environment: HostEnvironment(), grants: ResolvedGrants(), operations: [],
            calls: [], limits: InstancePort.Limits(), fingerprint: "", providers: [], controlSeconds: 1)
    }

    private func runs() throws -> Int {
        try String(contentsOf: URL(filePath: "\(folder)/runs"), encoding: .utf8).split(separator: "\n").count
    }

    private func refusal(_ probe: LibraryProbe, _ plan: InstancePlan) -> LoadError? {
        do throws(LoadError) {
            try probe.check(plan)
            return nil
        } catch {
            return error
        }
    }

    /// The first is one slow moment, or no memory; the second trial is let pass.
    @Test(arguments: [("exec tail -f /dev/null", "probe.hangs"), ("kill -9 $$", "probe.crashed")])
    func aVerdictOfTheMomentIsNotKept(_ moment: (String, String)) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let plan = try plan()
        let error = try #require(refusal(try probe(moment.0), plan))
        #expect(error.code == moment.1, "\(error)")
        #expect(error.fix.contains("tried again"), "\(error)")
        #expect(refusal(try probe("exit 0"), plan) == nil)
        #expect(try runs() == 2)
    }

    @Test(arguments: [("exit 0", nil), ("exit 3", nil), ("kill -SEGV $$", "probe.crashed")] as [(String, String?)])
    func aVerdictOnTheLibraryIsKept(_ verdict: (String, String?)) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let plan = try plan(), probe = try probe(verdict.0)
        for _ in 0..<3 { #expect(refusal(probe, plan)?.code == verdict.1) }
        #expect(try runs() == 1)
    }

    @Test func aVerdictThatCannotBeKeptSaysWhy() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let plan = try plan()
        try FileManager.default.createDirectory(
            atPath: "\(folder)/\(plan.file.digest).json", withIntermediateDirectories: true)
        let error = try #require(refusal(try probe("kill -SEGV $$"), plan))
        #expect(error.found.contains("cannot be kept"), "\(error)")
    }
}
