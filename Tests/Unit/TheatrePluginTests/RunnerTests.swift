// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import TheatrePlugin

/// Calls of an `inline` instance, which share tasks where their ids differ by a multiple of 16.
@Suite struct RunnerTests {
    private let say: UInt32 = 0
    private let wait: UInt32 = 2

    private func inlineHost() throws -> RawHost {
        let host = RawHost()
        let (code, error) = host.create(
            Echo.self, manifest: Echo.manifestText("inline"), configuration: #"{"greeting": "hi"}"#)
        try #require(code == THEATRE_OK, "\(error)")
        return host
    }

    private func isAnswered(_ host: RawHost, _ id: UInt64) -> Bool {
        host.state.withLock { $0.completions[id] != nil }
    }

    @Test func inlineCallsAreAnsweredBeforeInvokeReturns() throws {
        let host = try inlineHost()
        let message: [UInt8] = try fire("x").serializedBytes()
        for id in [UInt64(1), 17, 33, 2, 18] {
            host.invoke(id, say, message)
            #expect(isAnswered(host, id))
        }
    }

    @Test func cancellationOfACallDoesNotReachTheNext() async throws {
        let host = try inlineHost()
        let message: [UInt8] = try fire("x").serializedBytes()
        for id in [UInt64(1), 17, 33] {
            host.invoke(id, say, message)
            host.invoke(id + 1, wait, message)
            #expect(!isAnswered(host, id + 1))
            host.cancel(id + 1)
            #expect(await host.completion(of: id + 1).code == THEATRE_CANCELLED)
            // Too late for a call that has ended.
            host.cancel(id)
        }
    }

    @Test func cancellationThatOvertakesItsCallIsKept() async throws {
        let host = try inlineHost()
        host.cancel(5)
        host.invoke(5, wait, try fire("x").serializedBytes())
        #expect(await host.completion(of: 5).code == THEATRE_CANCELLED)
        host.invoke(21, wait, try fire("x").serializedBytes())
        #expect(!isAnswered(host, 21))
        host.cancel(21)
        #expect(await host.completion(of: 21).code == THEATRE_CANCELLED)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func mapOfCallsIsADictionary(_ seed: UInt64) {
        var state = seed
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var map = CallMap<Int>()
        var expected: [UInt64: Int] = [:]
        for step in 0..<20_000 {
            let id = (next(4) << 32 | next(200) << 4) + 1
            if next(100) < 52 {
                map.insert(step, for: id)
                expected[id] = step
            } else {
                map.remove(id)
                expected[id] = nil
            }
            #expect(map.count == expected.count)
            #expect(map[id] == expected[id])
        }
        for id in expected.keys { #expect(map[id] == expected[id]) }
        #expect(map[0] == nil)
    }
}
