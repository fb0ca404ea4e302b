// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

/// A cron schedule of the fixture `Journal`, every night at 03:30 in Shanghai, fired by a real host.
@Suite(.serialized) struct FiredScheduleTests {
    private static let day: Int64 = 86_400_000

    /// The jobs that the schedule made, oldest first.
    private func nights(_ desk: OperatorDesk) async throws -> [JSONValue] {
        let jobs = try await desk.json("jobs list").array ?? []
        return jobs.filter { $0["kind"]?.string == "journal.nightly" }.sorted {
            $0["job_id"]?.string ?? "" < $1["job_id"]?.string ?? ""
        }
    }

    private func schedule(_ desk: OperatorDesk) async throws -> JSONValue {
        try #require(try await desk.json("jobs schedules").array?.first)
    }

    /// When it is due next, once the host has worked that out.
    private func next(_ desk: OperatorDesk, after time: Int64 = 0) async throws -> Int64 {
        let next = try await eventually("the next night is known", seconds: 60) { () -> Int64? in
            let next = try await schedule(desk)["next_at"]?.integer ?? 0
            return next > time ? next : nil
        }
        // 03:30 in Shanghai is 19:30 in UTC, on every day of the year.
        #expect(next % Self.day == (19 * 60 + 30) * 60_000)
        return next
    }

    /// Waits until one job more than those is done, and no other is there; those may have been kept long enough.
    private func oneMore(than known: [JSONValue], _ desk: OperatorDesk) async throws -> [JSONValue] {
        let ids = Set(known.compactMap { $0["job_id"]?.string })
        return try await eventually("one night more is done", seconds: 60) { () -> [JSONValue]? in
            let fresh = try await nights(desk).filter { !ids.contains($0["job_id"]?.string ?? "") }
            guard fresh.count <= 1 else { throw Unexpected("\(fresh.count) nights at once") }
            return fresh.first?["state"]?.string == "done" ? known + fresh : nil
        }
    }

    @Test(arguments: StorageEngine.allCases)
    func aNightIsRunOnceWhenItComesAndOnceForAllThatWereMissed(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(engine, journal: "nightly: \"30 3 * * *\"")
        let server = try await desk.serve(["--test-clock", desk.folder.path("clock")])
        let clock = TestClock(desk.folder.path("clock"))
        let first = try await next(desk)
        var now = try await clock.advance(milliseconds: 0)
        if first - now > 120_000 {
            now = try await clock.advance(milliseconds: first - now - 60_000)
            // It is looked at, and stays as it is.
            #expect(try await next(desk) == first)
            #expect(try await nights(desk).isEmpty)
        }
        now = try await clock.advance(milliseconds: max(0, first - now) + 1000)
        let one = try await oneMore(than: [], desk)
        let second = try await next(desk, after: first)
        #expect(second == first + Self.day)

        // Three nights pass at once: its policy is to catch up with one.
        _ = try await clock.advance(milliseconds: second - now + 2 * Self.day + 1000)
        _ = try await oneMore(than: one, desk)
        #expect(try await next(desk, after: second) == first + 4 * Self.day)
        let fired = try await server.client.get("/metrics").text.split(separator: "\n")
            .first { $0.hasPrefix("theatre_schedules_fired_total{") && $0.contains("succeeded") }
        #expect(fired?.hasSuffix(" 2") == true)
        try await server.stop()
    }

    /// What was missed while no host ran is caught up with by the one that starts.
    @Test(arguments: StorageEngine.allCases)
    func whatAKilledHostMissedIsCaughtUpWith(_ engine: StorageEngine) async throws {
        let desk = try await OperatorDesk(engine, journal: "nightly: \"30 3 * * *\"")
        let clock = TestClock(desk.folder.path("clock"))
        let first = try await desk.serve(["--test-clock", desk.folder.path("clock")])
        _ = try await next(desk)
        try await first.crash()
        let (due, before) = (try await next(desk), try await nights(desk))
        let second = try await desk.serve(["--test-clock", desk.folder.path("clock")])
        let now = try await clock.advance(milliseconds: 0)
        try await clock.advance(milliseconds: max(0, due - now) + Self.day + 1000)
        _ = try await oneMore(than: before, desk)
        #expect(try await next(desk, after: due) == due + 2 * Self.day)
        try await second.stop()
    }
}
