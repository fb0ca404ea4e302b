// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

struct ScheduleTests {
    let fixture: JobFixture

    init() throws { fixture = try JobFixture() }

    private func put(_ cron: String = "0 3 * * *", zone: String = "UTC") async throws -> JobsSchedule {
        try await fixture.engine.putSchedule(
            .with {
                $0.name = "nightly"
                $0.cron = cron
                $0.timeZone = zone
                $0.job = fixture.new()
            }, for: fixture.scope)
    }

    private func due() async throws -> JobsDueSchedulesResponse {
        try await fixture.engine.dueSchedules(.with { $0.now = fixture.clock.now }, for: fixture.fixture.scope("host"))
    }

    private func fire(_ schedule: JobsSchedule, _ times: [Int64], next: Int64) async throws -> JobsFireScheduleResponse
    {
        let request = JobsFireScheduleRequest.with {
            $0.owner = schedule.owner
            $0.name = schedule.name
            $0.revision = schedule.revision
            $0.times = times
            $0.nextAt = next
        }
        return try await fixture.engine.fireSchedule(request, for: fixture.fixture.scope("host"))
    }

    @Test func aScheduleIsWorkedOutFiredOnceAndMovesOn() async throws {
        let now = fixture.clock.now
        let schedule = try await put()
        #expect(schedule.nextAt == 0 && schedule.revision == 1 && schedule.job.queue == "work")
        #expect(try await due().schedules.map(\.name) == ["nightly"])
        #expect(try await fire(schedule, [], next: now + 1000).fired)
        let waiting = try await due()
        #expect(waiting.schedules.isEmpty && waiting.nextAt == now + 1000)
        fixture.clock.advance(1000)
        let standing = try #require(try await due().schedules.first)
        let times = [now + 900, now + 1000]
        let fired = try await fire(standing, times, next: now + 5000)
        #expect(fired.fired && fired.jobIds.count == 2)
        let again = try await fire(standing, times, next: now + 5000)
        #expect(!again.fired && again.jobIds.isEmpty, "another host was faster")
        let jobs = try await fixture.lease(limit: 10).jobs
        #expect(jobs.map(\.runAt) == times && jobs.allSatisfy { $0.schedule == "nightly" && $0.kind == "a.render" })
        let host = try fixture.fixture.scope("host")
        #expect(try await fixture.engine.jobStats(for: host).schedules.first?.lastAt == now + 1000)
    }

    @Test func puttingTheSameTimesAgainMissesNothing() async throws {
        let schedule = try await put()
        _ = try await fire(schedule, [], next: fixture.clock.now + 1000)
        let same = try await put()
        #expect(same.nextAt == fixture.clock.now + 1000 && same.revision == 3)
        #expect(try await put("0 4 * * *").nextAt == 0)
        try await fixture.engine.deleteSchedule(.with { $0.name = "nightly" }, for: fixture.scope)
        #expect(try await due().schedules.isEmpty)
    }

    @Test(arguments: [("61 * * * *", "UTC"), ("* * * *", "UTC"), ("0 3 * * *", "Nowhere/Land")])
    func whatIsNoScheduleIsRefused(cron: String, zone: String) async throws {
        #expect(await failure { try await put(cron, zone: zone) }?.reason == "jobs.bad_schedule")
    }
}

struct LeaseTests {
    let fixture: JobFixture

    init() throws { fixture = try JobFixture() }

    private func acquire(_ holder: String, caller: String = "a") async throws -> LeaseLease {
        try await fixture.engine.acquire(
            .with {
                $0.name = "leader"
                $0.holder = holder
                $0.ttlMs = 1000
            }, for: fixture.fixture.scope(caller))
    }

    private func renew(_ lease: LeaseLease) async throws -> LeaseLease {
        try await fixture.engine.renew(
            .with {
                $0.name = lease.name
                $0.holder = lease.holder
                $0.fencingToken = lease.fencingToken
                $0.ttlMs = 1000
            }, for: fixture.fixture.scope("a"))
    }

    private func release(_ lease: LeaseLease) async throws {
        try await fixture.engine.release(
            .with {
                $0.name = lease.name
                $0.holder = lease.holder
                $0.fencingToken = lease.fencingToken
            }, for: fixture.fixture.scope("a"))
    }

    @Test func oneHolderAtATimeAndTokensGrow() async throws {
        let first = try await acquire("h1")
        #expect(first.fencingToken == 1 && first.expiresAt == fixture.clock.now + 1000)
        let taken = await failure { try await acquire("h2") }
        #expect(taken?.reason == "lease.taken" && taken?.retry == .after(milliseconds: 1000))
        #expect(try await acquire("h1").fencingToken == 1, "it is made longer")
        #expect(try await acquire("h2", caller: "b").fencingToken == 1, "a name belongs to its instance")
        fixture.clock.advance(500)
        #expect(try await renew(first).expiresAt == fixture.clock.now + 1000)
        fixture.clock.advance(1000)
        let second = try await acquire("h2")
        #expect(second.fencingToken == 2)
        #expect(await failure { try await renew(first) }?.reason == "lease.lost")
        try await release(first)
        #expect(try await fixture.engine.getLease(.with { $0.name = "leader" }, for: fixture.scope).holder == "h2")
        try await release(second)
        let free = await failure {
            try await fixture.engine.getLease(.with { $0.name = "leader" }, for: fixture.scope)
        }
        #expect(free?.reason == "lease.free")
        #expect(try await acquire("h1").fencingToken == 3)
    }

    @Test func ofManyWhoTryAtOnceOneHasIt() async throws {
        let fixture = fixture
        let got = await withTaskGroup(of: Bool.self) { group in
            for n in 0..<20 {
                group.addTask {
                    let request = LeaseAcquireRequest.with {
                        $0.name = "one"
                        $0.holder = "h\(n)"
                        $0.ttlMs = 60_000
                    }
                    return (try? await fixture.engine.acquire(request, for: fixture.scope)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(got == 1)
    }
}
