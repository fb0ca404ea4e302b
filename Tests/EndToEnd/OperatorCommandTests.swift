// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// Operators' commands on the storage of a server that runs, and of one that does not.
@Suite(.serialized) struct OperatorCommandTests {
    private func run(_ arguments: [String], in folder: TemporaryFolder, status: Int32 = 0) async throws -> CommandResult
    {
        let result = try await theatre(
            arguments + ServerProcess.options(Sources.defaultDeployment, nil) + ["--state", folder.path("state")])
        guard result.status == status else {
            throw Unexpected("\(arguments) ended with \(result.status), not \(status):\n\(result.output)")
        }
        return result
    }

    private func json(_ arguments: [String], in folder: TemporaryFolder) async throws -> JSONValue {
        let result = try await run(arguments + ["--json"], in: folder)
        return try JSONValue(json: Data(result.output.utf8))
    }

    private func consumer(_ folder: TemporaryFolder) async throws -> JSONValue? {
        try await json(["events", "list"], in: folder)["consumers"]?.array?.first {
            $0["consumer"]?.string?.hasPrefix("drafting/") == true
        }
    }

    @Test func aReplayBesideARunningServerBringsEventsAgainAndChangesNothing() async throws {
        let folder = try TemporaryFolder()
        let server = try await ServerProcess.start(Sources.defaultDeployment, folder: folder)
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        let started = try await person.startRun(chapterText)
        _ = try await person.awaitRun(try started.text("/id"))
        let chips = try await person.chips()
        let before = try await eventually("the run's event is taken") { () -> JSONValue? in
            let consumer = try await consumer(folder)
            return (consumer?["offset"]?.integer ?? 0) > 0 ? consumer : nil
        }
        let preview = try await json(["events", "replay", "drafting", "--after", "0", "--dry-run"], in: folder)
        #expect(preview["from"] == before["offset"] && preview["dry_run"] == .bool(true))
        _ = try await run(["events", "replay", "drafting", "--after", "0"], in: folder)
        try await eventually("everything came again") { () -> Bool? in
            try await consumer(folder)?["offset"] == before["offset"] ? true : nil
        }
        #expect(try await person.chips() == chips)
        let events = try await json(["events", "read", "--type", "draft."], in: folder).array ?? []
        #expect(events.contains { $0["type"]?.string == "draft.requested" })
        #expect(try await json(["events", "dead", "list"], in: folder) == .array([]))
        #expect(try await json(["jobs", "stats"], in: folder).array != nil)
        #expect(try await json(["jobs", "list"], in: folder) == .array([]))
        #expect(try await json(["jobs", "schedules"], in: folder) == .array([]))
        try await server.stop()
        // Without a server too.
        let after = try await consumer(folder)
        #expect(after?["offset"] == before["offset"])
    }

    @Test func whatCannotBeDoneIsSaidInOneLine() async throws {
        let folder = try TemporaryFolder()
        let unknown = try await run(["events", "replay", "nobody", "--after", "0"], in: folder, status: 1)
        #expect(unknown.output.contains("no consumer is named nobody"))
        let job = try await run(["jobs", "show", "job_1"], in: folder, status: 1)
        #expect(job.output.contains("there is no job job_1"))
        let everything = try await run(["jobs", "remove"], in: folder, status: 64)
        #expect(everything.output.contains("--all"))
    }

    @Test(arguments: ["storage", "jobs", "events"])
    func everyCommandExplainsItself(_ command: String) async throws {
        let result = try await theatre([command, "--help"])
        #expect(result.status == 0 && result.output.contains("USAGE"))
    }
}
