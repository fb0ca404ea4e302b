// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOPosix
import Runtime
import SwiftProtobuf
import TheatreContracts

/// A typed call to a plugin on the SDK, against the same messages encoded and decoded.
enum Typing {
    private static let count = 4_000

    static func run(_ world: World, _ table: inout Table) async throws {
        let request = HTTPRequest.with {
            $0.method = "POST"
            $0.path = "/api/v1/things/4711"
            $0.route = "/api/v1/things/{thing}"
            $0.rawQuery = "a=1"
            $0.body = Data(#"{"name":"a thing","count":3}"#.utf8)
        }
        let inline = try world.target("echo-inline")
        let pool = try world.target("echo-pool")
        var bare = Samples()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var figures = [Samples(), Samples(), Samples(), Samples()]
        for round in 0..<30 {
            let a = try nanoseconds(count) { try roundTrips(request) }
            let b = try await nanoseconds(count) { try await calls(count, world.dispatcher, inline, request) }
            let c = try await nanoseconds(count) {
                try await LoopCaller.run(count, width: 64, loop, world.dispatcher, pool, request)
            }
            let d = try await nanoseconds(count) { try await concurrentCalls(world.dispatcher, pool, request) }
            let e = try await nanoseconds(count / 4) { try await calls(count / 4, world.dispatcher, pool, request) }
            guard round > 1 else { continue }
            bare.add(a)
            for (index, value) in [b, c, d, e].enumerated() { figures[index].add(value) }
        }
        table.add(
            Row(
                "typed call to a Swift plugin, inline, 1 in flight", unit: "ns", bare: bare, figures[0], target: "<= 3x"
            ) {
                $0 <= 3
            })
        table.add(
            Row(
                "typed call to a Swift plugin, pool, 64 in flight from an event loop", unit: "ns", bare: bare,
                figures[1], target: "<= 3x"
            ) {
                $0 <= 3
            })
        table.add(
            Row(
                "typed call to a Swift plugin, pool, 64 in flight from tasks", unit: "ns", bare: bare, figures[2],
                target: "printed"))
        table.add(
            Row(
                "typed call to a Swift plugin, pool, 1 in flight", unit: "ns", bare: bare, figures[3], target: "printed"
            ))
    }

    /// Encode and decode of a request and of its answer.
    private static func roundTrips(_ request: HTTPRequest) throws {
        var bytes = 0
        for _ in 0..<count {
            let sent: [UInt8] = try request.serializedBytes()
            let received = try HTTPRequest(serializedBytes: sent)
            let answer = HTTPResponse.with {
                $0.status = 200
                $0.contentType = "application/json"
                $0.body = received.body
            }
            let returned: [UInt8] = try answer.serializedBytes()
            bytes += try HTTPResponse(serializedBytes: returned).body.count
        }
        guard bytes == count * request.body.count else { throw BenchmarkFailure("a round trip lost its body") }
    }

    private static func calls(
        _ count: Int, _ dispatcher: Dispatcher, _ target: CallTarget, _ request: HTTPRequest
    ) async throws {
        for _ in 0..<count {
            let response: HTTPResponse = try await dispatcher.call(target, request: request)
            guard response.body.count == request.body.count else { throw BenchmarkFailure("an answer lost its body") }
        }
    }

    private static func concurrentCalls(
        _ dispatcher: Dispatcher, _ target: CallTarget, _ request: HTTPRequest
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { try await calls(count / 64, dispatcher, target, request) } }
            try await group.waitForAll()
        }
    }
}
