// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

/// What has been kept long enough goes, under a real host whose clock is moved: answers after 7 days, events that every
/// consumer has taken after 30, jobs that are done after a day, dead ones after 30 days, and here whole segments of the
/// audit log after 10. Nothing goes before.
@Suite(.serialized) struct RetentionTests {
    private static let hour: Int64 = 3_600_000
    private static let day = 24 * hour

    @Test(arguments: StorageEngine.allCases)
    func eachKindGoesWhenItsTimeHasComeAndNotBefore(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(engine, journal: "refuses: bad")
        let host = try String(contentsOf: URL(filePath: desk.deployment.path("00-host.yaml")), encoding: .utf8)
        try desk.deployment.write("00-host.yaml", host + "audit: {retention_days: 10}\n")
        let server = try await desk.serve(["--test-clock", desk.folder.path("clock")])
        let clock = TestClock(desk.folder.path("clock"))
        try await JournalClient.with(server) { journal in
            try await journal.store(["a", "b", "bad"])
            try await eventually("all is done or dead, and delivered or set aside", seconds: 60) {
                () -> Bool? in
                let (jobs, taken) = (try await self.jobs(desk), try await journal.report("deliveries").count)
                let dead = try await desk.json("events dead").array?.count
                return jobs == ["a": "done", "b": "done", "bad": "dead"] && taken == 2 && dead == 1 ? true : nil
            }

            try await clock.advance(milliseconds: 23 * Self.hour)
            try await round(server, clock)
            #expect(try await jobs(desk).count == 3)
            try await clock.advance(milliseconds: 2 * Self.hour)
            try await removed(["done": 2], server, clock)
            #expect(try await jobs(desk) == ["bad": "dead"])
            #expect(try await events(desk) == ["a", "b", "bad"])
            #expect(try await isReplayed("a", journal), "its answer is kept")

            // Answers go after a commit, a little later than it.
            try await clock.advance(milliseconds: 7 * Self.day)
            try await journal.store(["c"])
            try await eventually("the answer of a is gone, and its entry still there", seconds: 60) { () -> Bool? in
                let outcome = await journal.enter(JournalDraft(id: "a", aggregate: "shared", number: 0))
                return if case .refused = outcome { true } else { nil }
            }
            #expect(try await isReplayed("c", journal))
            #expect(try await journal.report("entries").count == 4)
            try await eventually("c is done and delivered", seconds: 60) { () -> Bool? in
                let (jobs, taken) = (try await self.jobs(desk), try await journal.report("deliveries").count)
                return jobs["c"] == "done" && taken == 3 ? true : nil
            }

            // A segment is of seconds; the clock must not jump while one is open.
            try await eventually("the segment with c has ended") {
                try await clock.advance(milliseconds: 11_000)
                let audit = try await desk.json("audit verify")
                return audit["unsealed"]?.integer == 0 && audit["unchecked"]?.integer == 0 ? true : nil
            }

            // A day before a and b are 30 days old, and a day after.
            try await clock.advance(milliseconds: 21 * Self.day - 2 * Self.hour)
            try await removed(["done": 3], server, clock)
            #expect(try await events(desk) == ["a", "b", "bad", "c"])
            #expect(try await jobs(desk) == ["bad": "dead"])
            try await clock.advance(milliseconds: 2 * Self.day)
            try await removed(["done": 3, "events": 3, "dead": 1], server, clock)
            #expect(try await events(desk) == ["c"])
            #expect(try await jobs(desk).isEmpty)
            #expect(try await journal.report("entries").count == 4, "what a plugin stores is its own")
        }
        try await eventually("the audit log is of ten days") {
            try await clock.advance(milliseconds: 0)
            return try await daysOfAudit(desk) <= 10 ? true : nil
        }
        try await server.stop()
        let proved = try await desk.json("audit verify")
        #expect(proved["intact"]?.bool == true && proved["unsealed"]?.integer == 0, "\(proved)")
        #expect(try await desk.json("audit list --action remove_segment").array?.isEmpty == false)
    }

    /// Between the first row that is kept and the last.
    private func daysOfAudit(_ desk: OperatorDesk) async throws -> Double {
        let times = try await desk.json("audit list --limit 500").array?.compactMap { $0["at"]?.integer } ?? []
        return Double((times.max() ?? 0) - (times.min() ?? 0)) / Double(Self.day)
    }

    /// Ids of entries and how their jobs stand.
    private func jobs(_ desk: OperatorDesk) async throws -> [String: String] {
        let all = try await desk.json("jobs list").array ?? []
        return Dictionary(uniqueKeysWithValues: all.map { ($0["payload"]?.string ?? "", $0["state"]?.string ?? "") })
    }

    private func events(_ desk: OperatorDesk) async throws -> [String] {
        let all = try await desk.json("events read --type journal.").array ?? []
        return all.compactMap { $0.value(at: "/data/id")?.string }
    }

    private func isReplayed(_ id: String, _ journal: JournalClient) async throws -> Bool {
        switch await journal.enter(JournalDraft(id: id, aggregate: "shared", number: 0)) {
        case .stored(_, let isReplayed): isReplayed
        case let outcome: throw Unexpected("\(id) again: \(outcome)")
        }
    }

    /// Waits until so much has been removed in all, and a round after it finds nothing more.
    private func removed(_ wanted: [String: Int], _ server: ServerProcess, _ clock: TestClock) async throws {
        try await eventually("\(wanted) were removed", seconds: 60) { () -> Bool? in
            try await counts(server) == wanted ? true : nil
        }
        try await round(server, clock)
        #expect(try await counts(server) == wanted)
    }

    /// What has been removed since the start, by kind.
    private func counts(_ server: ServerProcess) async throws -> [String: Int] {
        let lines = try await server.client.get("/metrics").text.split(separator: "\n")
        var counts: [String: Int] = [:]
        for line in lines where line.hasPrefix("theatre_retention_removed_total{kind=\"") {
            let words = line.split(separator: "\"")
            guard words.count == 3, let count = Int(words[2].drop { $0 != " " }.dropFirst()) else {
                throw Unexpected("\(line)")
            }
            if count > 0, words[1] != "audit" { counts[String(words[1])] = count }
        }
        return counts
    }

    /// Has the host go through everything at the time it is, from the beginning to the end.
    private func round(_ server: ServerProcess, _ clock: TestClock) async throws {
        func calls() async throws -> Int {
            let lines = try await server.client.get("/metrics").text.split(separator: "\n")
            return lines.reduce(0) { count, line in
                guard line.hasPrefix("theatre_calls_total{"), line.contains("theatre.jobs.v1.Queue/Control") else {
                    return count
                }
                return count + (Int(line.split(separator: " ").last ?? "") ?? 0)
            }
        }
        let before = try await calls()
        // Done, cancelled and dead are three calls; the round that was under way when this began may end first.
        try await eventually("a round is over", seconds: 60) { () -> Bool? in
            try await clock.advance(milliseconds: 0)
            return try await calls() >= before + 6 ? true : nil
        }
    }
}
