// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import TheatrePlugin

/// Calls that wait for a thread, and what is used again from call to call.
@Suite(.timeLimit(.minutes(2))) struct PoolTests {
    private let say: UInt32 = 0
    private let shout: UInt32 = 1
    private let block: UInt32 = 2
    private let wait: UInt32 = 3

    private func host(_ kind: String = "pool") throws -> RawHost {
        let host = RawHost()
        let (code, error) = host.create(Keeper.self, manifest: Keeper.manifest(kind))
        try #require(code == THEATRE_OK, "\(error)")
        return host
    }

    private func bytes(_ name: String, size: Int = 0) throws -> [UInt8] {
        try HostFireRequest.with {
            $0.name = name
            $0.payload = Data(repeating: 7, count: size)
        }.serializedBytes()
    }

    @Test func queuedCallThatIsGivenUpIsNotBegun() async throws {
        let host = try host()
        let (name, next) = ("blocks", "follows")
        host.invoke(1, block, try bytes(name))
        _ = Keeper.latch("begun " + name).wait()
        for id in [UInt64(2), 3, 4] { host.invoke(id, say, try bytes(next)) }
        host.cancel(3)
        Keeper.latch(name).open(true)
        #expect(await host.completion(of: 1).code == THEATRE_OK)
        #expect(await host.completion(of: 2).code == THEATRE_OK)
        let cancelled = await host.completion(of: 3)
        #expect(cancelled.code == THEATRE_CANCELLED)
        #expect(cancelled.message.contains("before it began"))
        #expect(await host.completion(of: 4).code == THEATRE_OK)
        #expect(Keeper.calls(next).count == 2)
    }

    @Test(arguments: ["pool", "inline"]) func callThatIsKeptTellsOfItself(_ kind: String) async throws {
        let host = try host(kind)
        let name = "kept in \(kind)"
        let first = host.newID()
        host.invoke(first, say, try bytes(name))
        _ = await host.completion(of: first)
        for _ in 0..<200 { _ = await host.call(say, try bytes("other")) }
        let kept = try #require(Keeper.calls(name).first)
        #expect(kept.origin.onBehalfOf == first)
        #expect(kept.attempt == 1)
    }

    @Test(arguments: ["pool", "inline"]) func requestsOfEverySizeComeWhole(_ kind: String) async throws {
        let host = try host(kind)
        for size in [0, 1, 700, 870, 880, 890, 900, 910, 920, 930, 940, 1024, 5000, 1 << 20, 3, 2000, 10] {
            let message = try bytes("x", size: size)
            #expect(await host.call(say, message).payload == message)
        }
    }

    @Test(arguments: ["pool", "inline"]) func operationsThatAlternateAreServedByTheirOwn(_ kind: String) async throws {
        let host = try host(kind)
        var expected: [UInt64: String] = [:]
        for index in 0..<600 {
            let isLoud = index % 3 == 1
            let id = host.newID()
            expected[id] = isLoud ? "n\(index)!" : "n\(index)"
            host.invoke(id, isLoud ? shout : say, try bytes("n\(index)"))
        }
        for (id, name) in expected {
            let answer = try HostFireRequest(serializedBytes: await host.completion(of: id).payload)
            #expect(answer.name == name)
        }
        #expect(host.state.withLock { $0.completions.values.allSatisfy { $0.count == 1 } })
    }

    @Test func callThatWaitsLeavesItsThreadToOthers() async throws {
        let host = try host()
        for id in UInt64(1001)...1032 { host.invoke(id, wait, try bytes("w")) }
        for index in 0..<100 { #expect(await host.call(say, try bytes("n\(index)")).code == THEATRE_OK) }
        for id in UInt64(1001)...1032 { host.cancel(id) }
        for id in UInt64(1001)...1032 { #expect(await host.completion(of: id).code == THEATRE_CANCELLED) }
    }

    @Test func malformedRequestIsRefused() async throws {
        let host = try host()
        let answer = await host.call(say, [0xff, 0xff])
        #expect(answer.code == THEATRE_INVALID_ARGUMENT)
        #expect(answer.reason == "plugin.malformed_request")
    }
}

/// Remembers the calls it serves, and blocks where it is told to.
private struct Keeper: Plugin {
    private struct State {
        var calls: [String: [Call]] = [:]
        var latches: [String: Latch<Bool>] = [:]
    }

    private static let state = Mutex(State())

    static var operations: [Operation<Keeper>] {
        [
            .unary("test.v1.Keeper/Say") { (_: Keeper, request: HostFireRequest, call: Call) in
                state.withLock { $0.calls[request.name, default: []].append(call) }
                return request
            },
            .unary("test.v1.Keeper/Shout") { (_: Keeper, request: HostFireRequest, _: Call) in
                HostFireRequest.with { $0.name = request.name + "!" }
            },
            .unary("test.v1.Keeper/Block") { (_: Keeper, request: HostFireRequest, _: Call) in
                latch("begun " + request.name).open(true)
                _ = latch(request.name).wait()
                return request
            },
            .unary("test.v1.Keeper/Wait") { (_: Keeper, request: HostFireRequest, _: Call) in
                let stream = AsyncStream<Never> { _ in }
                for await _ in stream {}
                try Task.checkCancellation()
                return request
            },
        ]
    }

    static func manifest(_ kind: String) -> String {
        """
        {"manifest": 1, "name": "Keeper", "version": "1.0.0", "executor": {"kind": "\(kind)", "threads": 1},
         "provides": [{"capability": "test.v1.Keeper"}],
         "operations": ["test.v1.Keeper/Say", "test.v1.Keeper/Shout", "test.v1.Keeper/Block", "test.v1.Keeper/Wait"]}
        """
    }

    init(_ host: PluginHost, _ configuration: NoConfiguration) {}

    /// Opens as the test, or the plugin, says.
    static func latch(_ name: String) -> Latch<Bool> {
        state.withLock { state in
            if let latch = state.latches[name] { return latch }
            let latch = Latch<Bool>()
            state.latches[name] = latch
            return latch
        }
    }

    static func calls(_ name: String) -> [Call] { state.withLock { $0.calls[name] ?? [] } }
}
