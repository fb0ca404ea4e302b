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
        // It may pass over events that are none of its own later, and so be further whenever it is asked again.
        let before = try await eventually("the run's event is taken") { () -> Int64? in
            let offset = try await consumer(desk)?["offset"]?.integer ?? 0
            return offset > 0 ? offset : nil
        }
        let preview = try await desk.json("events replay drafting --after 0 --dry-run")
        #expect((preview["from"]?.integer ?? 0) >= before && preview["dry_run"] == .bool(true))
        _ = try await desk.run("events replay drafting --after 0")
        try await eventually("everything came again") { () -> Bool? in
            (try await consumer(desk)?["offset"]?.integer ?? 0) >= before ? true : nil
        }
        #expect(try await person.chips() == chips)
        let events = try await desk.json("events read --type draft.").array ?? []
        #expect(events.contains { $0["type"]?.string == "draft.requested" })
        #expect(try await desk.json("events dead list") == .array([]))
        #expect(try await desk.json("jobs list") == .array([]))
        #expect(try await desk.json("jobs schedules") == .array([]))
        try await server.stop()
        // Without a server too.
        let after = try await consumer(desk)?["offset"]?.integer ?? 0
        #expect(after >= before)
    }

    @Test(arguments: ["storage", "jobs", "events"])
    func everyCommandExplainsItself(_ command: String) async throws {
        let result = try await theatre([command, "--help"])
        #expect(result.status == 0 && result.output.contains("USAGE"))
    }
}
