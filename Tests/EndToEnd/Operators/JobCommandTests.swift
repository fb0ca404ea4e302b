// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

/// `theatre jobs …` on what a server has to do, beside it and without it.
@Suite(.serialized) struct JobCommandTests {
    /// Jobs by the ids of their entries.
    private func jobs(_ desk: OperatorDesk, _ options: String = "") async throws -> [String: JSONValue] {
        let all = try await desk.json("jobs list \(options)").array ?? []
        return Dictionary(uniqueKeysWithValues: all.map { ($0["payload"]?.string ?? "", $0) })
    }

    private func states(_ desk: OperatorDesk) async throws -> [String: String] {
        try await jobs(desk).mapValues { $0["state"]?.string ?? "" }
    }

    @Test(arguments: StorageEngine.allCases)
    func jobsAreSeenCancelledRunAgainAndRemoved(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(
            engine, journal: "refuses: bad, nightly: \"30 3 * * *\"", workMilliseconds: 60_000)
        let server = try await desk.serve()
        try await JournalClient.with(server) { journal in
            // The queue runs four at once.
            try await journal.store(["e1", "e2", "e3", "e4"])
            try await eventually("four run") {
                try await states(desk).values.count { $0 == "running" } == 4 ? true : nil
            }
            try await journal.store(["e5"])
            try await cancel(desk)
            #expect(try await journal.report("runs").isEmpty, "none was done")
            try await journal.store(["bad"])
            try await eventually("what is refused is dead") { try await states(desk)["bad"] == "dead" ? true : nil }
            let ids = try await jobs(desk).compactMapValues { $0["job_id"]?.string }
            let bad = ids["bad"] ?? ""
            try await look(desk, bad: bad, last: ids["e5"] ?? "")

            // Run again as long as it is refused, it is dead again; then it is done, and the cancelled with it.
            let ended = try await self.jobs(desk)["bad"]?["ended_at"]
            #expect(try await desk.run("jobs retry \(bad)").contains("1 job to run again"))
            try await eventually("it is dead again") { () -> Bool? in
                let job = try await self.jobs(desk)["bad"]
                return job?["state"]?.string == "dead" && job?["ended_at"] != ended ? true : nil
            }
            try await desk.configure(journal: "work_ms: 0", of: server)
            #expect(try await desk.json("jobs retry --all --dry-run")["jobs"]?.array?.count == 6)
            #expect(try await desk.json("jobs retry --all") == .object(["changed": .integer(6)]))
            try await eventually("all are done") {
                try await states(desk).values.allSatisfy { $0 == "done" } ? true : nil
            }
            #expect(Set(try await journal.report("runs").map { $0[0] }) == Set(ids.keys))
            try await remove(desk, one: bad)
        }
        try await server.stop()
    }

    /// While four run and one waits.
    private func cancel(_ desk: OperatorDesk) async throws {
        let stats = try await desk.json("jobs").array?.first
        #expect(stats?["owner"]?.string == "journal" && stats?["queue"]?.string == "entered")
        #expect(["waiting": 1, "running": 4, "dead": 0, "ended": 0].allSatisfy { stats?[$0.key]?.integer == $0.value })
        let jobs = try await jobs(desk)
        let (running, waiting) = (jobs["e1"]?["job_id"]?.string ?? "", jobs["e5"]?["job_id"]?.string ?? "")
        #expect(try await self.jobs(desk, "--status running --limit 2").count == 2)
        try await desk.expectRefusals([
            ("jobs cancel \(waiting) job_1", 1, "there is no job job_1; nothing was changed"),
            ("jobs retry \(running)", 1, "is running: it cannot be run again"),
            ("jobs remove \(waiting) --dry-run", 1, "is waiting: it cannot be removed"),
            ("jobs cancel \(waiting) --owner other", 1, "or the options leave it out"),
        ])
        let preview = try await desk.json("jobs cancel \(waiting) --dry-run")
        #expect(preview == .object(["dry_run": .bool(true), "jobs": .array([.string(waiting)])]))
        #expect(try await states(desk) == jobs.mapValues { $0["state"]?.string ?? "" }, "nothing was changed")

        #expect(try await desk.json("jobs cancel \(waiting)") == .object(["changed": .integer(1)]))
        #expect(try await states(desk)["e5"] == "cancelled")
        #expect(try await desk.run("jobs cancel --status running").contains("4 jobs cancelled, or about to be"))
        try await eventually("those that ran stop") {
            try await states(desk).values.allSatisfy { $0 == "cancelled" } ? true : nil
        }
    }

    /// What there is, as it is asked for.
    private func look(_ desk: OperatorDesk, bad: String, last: String) async throws {
        try await desk.expectRefusals([
            ("jobs show job_1", 1, "there is no job job_1"), ("jobs list --limit 0", 64, "--limit is 1 to 1000"),
            ("jobs list --status asleep", 64, "'waiting', 'running', 'done', 'dead' or 'cancelled'"),
            ("jobs cancel \(bad)", 1, "is dead: it cannot be cancelled"),
            ("jobs remove", 64, "or say --all"), ("jobs remove \(bad) --all", 64, "--all does not go with ids"),
            ("jobs remove --all --limit 0", 64, "--limit is 1 to 1000"),
            ("jobs remove --all --older-than=-1", 64, "--older-than is 1 to 1000000 hours"),
            ("jobs remove --all --older-than=9999999999999999", 64, "--older-than is 1 to 1000000 hours"),
        ])
        let shown = try await desk.json("jobs show \(bad)")
        #expect(shown["payload"]?.string == "bad" && shown["reason"]?.string == "journal.told_to_refuse")
        #expect(shown["attempts"]?.integer == 1 && (shown["ended_at"]?.integer ?? 0) > 0)
        let text = try await desk.run("jobs show \(bad)")
        #expect(text.contains("journal.told_to_refuse") && text.contains("state") && text.contains("dead"))
        #expect(try await desk.run("jobs stats").contains("entered"))
        let table = try await desk.run("jobs list --owner journal --queue entered")
        #expect(table.contains(last) && table.contains("journal/entered") && table.contains("cancelled"))
        #expect(try await jobs(desk, "--status dead").keys.sorted() == ["bad"])
        #expect(try await jobs(desk, "--before \(last) --limit 1").keys.sorted() == ["e4"])
        #expect(try await jobs(desk, "--owner other").isEmpty)
        let schedules = try await desk.json("jobs schedules").array ?? []
        let schedule = try #require(schedules.first)
        #expect(schedules.count == 1 && schedule["name"]?.string == "nightly")
        #expect(schedule["cron"]?.string == "30 3 * * *" && schedule["time_zone"]?.string == "Asia/Shanghai")
        #expect(schedule["catch_up"]?.string == "one" && schedule["kind"]?.string == "journal.nightly")
        // 03:30 in Shanghai is 19:30 in UTC.
        #expect(((schedule["next_at"]?.integer ?? 0) / 60_000) % (24 * 60) == 19 * 60 + 30)
        #expect(try await desk.run("jobs schedules").contains("Asia/Shanghai"))
    }

    private func remove(_ desk: OperatorDesk, one: String) async throws {
        #expect(try await desk.run("jobs remove --all --older-than 1").contains("0 jobs removed"))
        #expect(try await desk.run("jobs remove \(one) --dry-run").contains("nothing was changed"))
        #expect(try await jobs(desk).count == 6)
        #expect(try await desk.run("jobs remove \(one)").contains("1 job removed"))
        try await desk.expectRefusals([("jobs show \(one)", 1, "there is no job \(one)")])
        // The oldest go first, as the preview says.
        let preview = try await desk.json("jobs remove --status done --limit 2 --dry-run")["jobs"]?.array ?? []
        #expect(preview.count == 2)
        #expect(try await desk.json("jobs remove --status done --limit 2") == .object(["changed": .integer(2)]))
        let left = try await jobs(desk).values.compactMap { $0["job_id"] }
        #expect(left.count == 3 && !left.contains { preview.contains($0) })
        #expect(try await desk.run("jobs remove --owner journal").contains("3 jobs removed"))
        #expect(try await desk.json("jobs list") == .array([]))
    }
}
