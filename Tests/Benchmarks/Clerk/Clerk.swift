// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatrePlugin

/// Works a database as a plugin does, through the SDK, as often as the route says.
///
/// The body is `key=value` words; the answer's body is figures between spaces.
struct Clerk: Plugin, HTTPHandlerContract, EventsConsumerContract, JobsWorkerContract {
    static var operations: [Operation<Clerk>] {
        httpHandlerOperations + eventsConsumerOperations + jobsWorkerOperations
    }

    private let host: PluginHost
    private let arrivals = Arrivals()

    init(_ host: PluginHost, _ configuration: NoConfiguration) { self.host = host }

    func activate() async throws { try await Desk(host).migrate() }

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        let order = Order(request.body)
        let desk = Desk(call)
        let figures: [Double]
        switch request.route {
        case "fill": figures = try await fill(order, desk)
        case "read": figures = try await rate(order) { try await desk.read($0) }
        case "write": figures = try await rate(order) { try await desk.write($0) }
        case "batch": figures = try await rate(order) { try await desk.batch($0, $1) }
        case "transact": figures = try await rate(order) { try await desk.transact($0, $1) }
        case "publish": figures = try await publish(order, desk)
        case "enqueue": figures = try await enqueue(order, desk)
        default: throw PluginError(.notFound, "clerk.unknown", "There is no such work.")
        }
        return .with {
            $0.status = 200
            $0.body = Data(figures.map { String($0) }.joined(separator: " ").utf8)
        }
    }

    func deliver(_ request: EventsDeliverRequest, _ call: Call) async throws -> EventsDeliverResponse {
        arrivals.arrive(request.event.aggregate, host.monotonicNanoseconds)
        return EventsDeliverResponse()
    }

    func run(_ request: JobsRunRequest, _ call: Call) async throws -> JobsRunResponse { JobsRunResponse() }

    // MARK: Work

    private func fill(_ order: Order, _ desk: Desk) async throws -> [Double] {
        for first in stride(from: 0, to: order.rows, by: 1000) {
            try await desk.fill(first..<min(first + 1000, order.rows))
        }
        return [Double(order.rows)]
    }

    /// Runs `body` in so many tasks for so long; how often in a second.
    private func rate(
        _ order: Order, _ body: @escaping @Sendable (Int64, Int64) async throws -> Void
    ) async throws -> [Double] {
        let host = host
        let began = host.monotonicNanoseconds
        let end = began + UInt64(order.milliseconds) * 1_000_000
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<order.tasks {
                group.addTask {
                    var chance = Chance(seed: UInt64(task + 1))
                    var count = 0
                    while host.monotonicNanoseconds < end {
                        try await body(chance.next(below: order.rows), chance.next(below: 10_000) - 5000)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return [Double(count) * 1e9 / Double(host.monotonicNanoseconds - began)]
    }

    private func rate(_ order: Order, _ body: @escaping @Sendable (Int64) async throws -> Void) async throws -> [Double]
    {
        try await rate(order) { id, _ in try await body(id) }
    }

    /// For each event three figures in nanoseconds: from its publication to its commit, to its arrival, and between.
    private func publish(_ order: Order, _ desk: Desk) async throws -> [Double] {
        var figures: [Double] = []
        for number in 0..<order.count {
            let aggregate = "told_\(number)"
            let began = host.monotonicNanoseconds
            try await desk.publish(aggregate)
            let committed = host.monotonicNanoseconds
            let arrived = await arrivals.wait(for: aggregate)
            figures += [
                Double(committed - began), Double(arrived - began), Double(arrived) - Double(committed),
            ]
        }
        return figures
    }

    /// One job in each transaction, from so many tasks.
    private func enqueue(_ order: Order, _ desk: Desk) async throws -> [Double] {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<order.tasks {
                group.addTask {
                    for _ in stride(from: task, to: order.count, by: order.tasks) { try await desk.enqueue() }
                }
            }
            try await group.waitForAll()
        }
        return [Double(order.count)]
    }
}

/// What is to be done.
struct Order {
    var rows = 0
    var tasks = 1
    var milliseconds = 0
    var count = 0

    init(_ body: Data) {
        for word in String(decoding: body, as: UTF8.self).split(separator: " ") {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]) else { continue }
            switch parts[0] {
            case "rows": rows = value
            case "tasks": tasks = value
            case "milliseconds": milliseconds = value
            case "count": count = value
            default: continue
            }
        }
    }
}

/// xorshift64: the baseline draws the same way.
struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next(below bound: Int) -> Int64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int64(state % UInt64(max(1, bound)))
    }
}

/// When events arrived, and who waits for one.
final class Arrivals: Sendable {
    private struct State {
        var times: [String: UInt64] = [:]
        var waiting: [String: CheckedContinuation<UInt64, Never>] = [:]
    }

    private let state = Mutex(State())

    func arrive(_ name: String, _ time: UInt64) {
        let waiting = state.withLock { state -> CheckedContinuation<UInt64, Never>? in
            if let waiting = state.waiting.removeValue(forKey: name) { return waiting }
            state.times[name] = time
            return nil
        }
        waiting?.resume(returning: time)
    }

    func wait(for name: String) async -> UInt64 {
        await withCheckedContinuation { continuation in
            let time = state.withLock { state -> UInt64? in
                if let time = state.times.removeValue(forKey: name) { return time }
                state.waiting[name] = continuation
                return nil
            }
            if let time { continuation.resume(returning: time) }
        }
    }
}
