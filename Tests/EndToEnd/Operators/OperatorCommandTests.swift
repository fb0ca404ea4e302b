// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

/// Operators' commands on the storage of a server that runs, and of one that does not.
@Suite(.serialized) struct OperatorCommandTests {
    private func consumer(_ desk: OperatorDesk) async throws -> JSONValue? {
        try await desk.json("events list")["consumers"]?.array?.first {
            $0["consumer"]?.string?.hasPrefix("drafting/") == true
        }
    }

    @Test func aReplayBesideARunningServerBringsEventsAgainAndChangesNothing() async throws {
        let desk = try await OperatorDesk(.sqlite)
        let server = try await desk.serve()
        let person = try await Account.new(on: server)
        _ = try await person.buy(500)
        let started = try await person.startRun(chapterText)
        _ = try await person.awaitRun(try started.text("/id"))
        let chips = try await person.chips()
        let before = try await eventually("the run's event is taken") { () -> JSONValue? in
            let consumer = try await consumer(desk)
            return (consumer?["offset"]?.integer ?? 0) > 0 ? consumer : nil
        }
        let preview = try await desk.json("events replay drafting --after 0 --dry-run")
        #expect(preview["from"] == before["offset"] && preview["dry_run"] == .bool(true))
        _ = try await desk.run("events replay drafting --after 0")
        try await eventually("everything came again") { () -> Bool? in
            try await consumer(desk)?["offset"] == before["offset"] ? true : nil
        }
        #expect(try await person.chips() == chips)
        let events = try await desk.json("events read --type draft.").array ?? []
        #expect(events.contains { $0["type"]?.string == "draft.requested" })
        #expect(try await desk.json("events dead list") == .array([]))
        #expect(try await desk.json("jobs list") == .array([]))
        #expect(try await desk.json("jobs schedules") == .array([]))
        try await server.stop()
        // Without a server too.
        let after = try await consumer(desk)
        #expect(after?["offset"] == before["offset"])
    }

    @Test(arguments: ["storage", "jobs", "events"])
    func everyCommandExplainsItself(_ command: String) async throws {
        let result = try await theatre([command, "--help"])
        #expect(result.status == 0 && result.output.contains("USAGE"))
    }
}
