// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// The timers' table as its statements see it.
final class FakeTimerTable: Sendable {
    private struct State {
        var rows: [String: [SQLValue]] = [:]
        var fails = false
    }

    private let state = Mutex(State())

    var names: [String] { state.withLock { $0.rows.keys.sorted() } }
    func setFailing(_ fails: Bool) { state.withLock { $0.fails = fails } }

    init(_ calls: FakeCalls) {
        calls.serve("sqlite", "theatre.sql.v1.Database/Query") { [self] (request: SQLQueryRequest, _) -> SQLRows? in
            try check()
            let limit = Int(request.statement.parameters[0].integer)
            let rows = state.withLock { $0.rows.values.sorted { $0[6].integer < $1[6].integer }.prefix(limit) }
            return SQLRows.with { $0.rows = rows.map { values in SQLRow.with { $0.values = values } } }
        }
        calls.serve("sqlite", "theatre.sql.v1.Database/Commit") {
            [self] (request: SQLCommitRequest, _) -> SQLCommitResponse? in
            try check()
            let changed = request.statements.map { apply($0) }
            return SQLCommitResponse.with { $0.results = changed.map { count in SQLRows.with { $0.changed = count } } }
        }
    }

    private func check() throws {
        if state.withLock({ $0.fails }) { throw CallError(.unavailable, "sql.busy", "Busy.", retry: .safe) }
    }

    private func apply(_ statement: SQLStatement) -> UInt32 {
        let values = statement.parameters
        let key = "\(values[0].text)/\(values[1].text)"
        return state.withLock { state in
            if statement.sql.hasPrefix("INSERT") {
                state.rows[key] = values
                return 1
            }
            guard let row = state.rows[key], values.count < 3 || row[7] == values[2] else { return 0 }
            if statement.sql.hasPrefix("DELETE") {
                state.rows[key] = nil
            } else {
                state.rows[key]?[5] = values[3]
                state.rows[key]?[6] = values[4]
            }
            return 1
        }
    }
}

private final class Bench: Sendable {
    let calls = FakeCalls()
    let clock = ManualClock()
    let table: FakeTimerTable
    let pump: TimerPump
    let service: TimersService
    let fired = Mutex<[HostFireRequest]>([])

    init(bound: Int = 16) {
        table = FakeTimerTable(calls)
        pump = TimerPump(
            calls, storage: "sqlite", clock: clock, bound: bound,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        service = TimersService(calls, storage: "sqlite", pump: pump)
    }

    func target(
        _ body: @escaping @Sendable (HostFireRequest, UnaryCall) throws -> HostFireResponse? = { _, _ in .init() }
    ) {
        calls.serve("orders", "theatre.host.v1.Target/Fire") { [self] (request: HostFireRequest, call) in
            fired.withLock { $0.append(request) }
            return try body(request, call)
        }
    }

    func schedule(_ name: String, in milliseconds: Int64, tenant: String = "default") async throws {
        let call = try FakeHostCall(
            HostScheduleRequest.with {
                $0.name = name
                $0.at = clock.wall + milliseconds
                $0.payload = Data(name.utf8)
            }, tenant: tenant)
        service.serve("Schedule", call)
        _ = try await call.response(HostScheduleResponse.self)
    }

    var names: [String] { fired.withLock { $0.map(\.name) } }
}

@Suite struct TimerPumpTests {
    @Test func aTimerFiresAtItsTimeAndIsGone() async throws {
        let bench = Bench()
        let tenant = Mutex("")
        bench.target { _, call in
            tenant.withLock { $0 = call.context.message.tenant }
            return .init()
        }
        bench.pump.start()
        try await bench.schedule("later", in: 5000, tenant: "acme")
        try await bench.schedule("sooner", in: 2000)
        #expect(bench.clock.untilNext == 2000)
        bench.clock.advance(1999)
        #expect(bench.names.isEmpty)
        bench.clock.advance(1)
        #expect(bench.names == ["sooner"])
        #expect(bench.clock.untilNext == 3000)
        bench.clock.advance(3000)
        #expect(bench.names == ["sooner", "later"])
        #expect(bench.fired.withLock { $0[1].payload } == Data("later".utf8))
        #expect(tenant.withLock { $0 } == "acme")
        #expect(bench.table.names.isEmpty)
        #expect(bench.clock.untilNext == nil)
    }

    @Test func anErrorMakesItFireAgainEverLater() async throws {
        let bench = Bench()
        bench.target { _, _ in throw CallError(.internal, "orders.broken", "Broken.") }
        bench.pump.start()
        try await bench.schedule("t", in: 0)
        var waits: [Int64] = []
        for _ in 0..<8 {
            let wait = try #require(bench.clock.untilNext)
            waits.append(wait)
            bench.clock.advance(wait)
        }
        #expect(waits == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
        #expect(bench.fired.withLock { $0.map(\.attempt) } == Array(1...9))
        bench.target()
        bench.clock.advance(60_000)
        #expect(bench.table.names.isEmpty)
    }

    @Test func aTimerSetAnewWhileItFiresFiresAgain() async throws {
        let bench = Bench()
        bench.target { [weak bench] request, _ in
            guard let bench, bench.fired.withLock({ $0.count }) == 1 else { return .init() }
            let again = try FakeHostCall(
                HostScheduleRequest.with {
                    $0.name = request.name
                    $0.at = bench.clock.wall + 10
                })
            bench.service.serve("Schedule", again)
            return .init()
        }
        bench.pump.start()
        try await bench.schedule("t", in: 0)
        #expect(bench.table.names == ["orders/t"])
        bench.clock.advance(10)
        #expect(bench.names == ["t", "t"])
        #expect(bench.table.names.isEmpty)
    }

    @Test func whatWasDueBeforeAKillFiresAfterIt() async throws {
        let bench = Bench()
        // The first host is killed while the timer fires: no answer ever comes.
        bench.target { _, _ in nil }
        bench.pump.start()
        try await bench.schedule("t", in: 0)
        #expect(bench.names == ["t"])
        bench.target()
        let next = TimerPump(
            bench.calls, storage: "sqlite", clock: bench.clock, bound: 4,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        next.start()
        #expect(bench.names == ["t", "t"])
        #expect(bench.table.names.isEmpty)
    }

    @Test func onlySoManyFireAtOnce() async throws {
        let bench = Bench(bound: 3)
        bench.target { _, _ in nil }
        bench.pump.start()
        for index in 0..<10 { try await bench.schedule("t\(index)", in: 0) }
        #expect(bench.names.count == 3)
    }

    @Test func aCancelledTimerDoesNotFire() async throws {
        let bench = Bench()
        bench.target()
        bench.pump.start()
        try await bench.schedule("t", in: 100)
        for expected in [true, false] {
            let call = try FakeHostCall(HostCancelTimerRequest.with { $0.name = "t" })
            bench.service.serve("Cancel", call)
            #expect(try await call.response(HostCancelTimerResponse.self).existed == expected)
        }
        bench.clock.advance(1000)
        #expect(bench.names.isEmpty)
    }

    @Test func aStorageThatIsAwayIsAskedAgainEverLater() async throws {
        let bench = Bench()
        bench.target()
        bench.table.setFailing(true)
        bench.pump.start()
        #expect(bench.clock.untilNext == 1000)
        bench.clock.advance(1000)
        #expect(bench.clock.untilNext == 2000)
        bench.table.setFailing(false)
        try await bench.schedule("t", in: 0)
        #expect(bench.names == ["t"])
    }

    @Test func stoppingWaitsForWhatFires() async throws {
        let bench = Bench()
        let answer = Mutex<FakeCalls.Then?>(nil)
        bench.calls.hold("orders", "theatre.host.v1.Target/Fire") { _, then in answer.withLock { $0 = then } }
        bench.pump.start()
        try await bench.schedule("t", in: 0)
        let stopped = Mutex(false)
        bench.pump.stop { stopped.withLock { $0 = true } }
        #expect(!stopped.withLock { $0 })
        answer.withLock { $0 }?(.success([]))
        #expect(stopped.withLock { $0 })
        #expect(bench.table.names.isEmpty)
    }
}
