// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@Suite struct StreamTests {
    typealias Stream = MessageStream<HostFireRequest>

    @Test(arguments: [
        ("pool", 3, 10), ("inline", 3, 10), ("pool", 2000, 300), ("inline", 2000, 300), ("pool", 5, 200_000),
    ])
    func messagesArriveInOrder(_ kind: String, _ count: Int64, _ size: UInt32) async throws {
        let (host, client) = try await echoes(kind)
        let stream: Stream = try await client.serverStreaming("Count", fire("", at: count, size: size), CallOptions())
        var next: Int64 = 0
        for try await message in stream {
            #expect(message.at == next)
            #expect(message.payload.count == Int(size))
            next += 1
        }
        #expect(next == count)
        #expect(host.violations.isEmpty)
    }

    @Test func senderStopsWithoutCredit() async throws {
        let host = try SeamTests.host()
        let id = host.newID()
        host.invoke(id, 3, try fire("", at: 10, size: 30_000).serializedBytes(), flags: THEATRE_CALL_STREAM_OUT)
        await host.chunks(of: id, count: 3)
        // 3 × 30 kB have used up 64 KiB; a fourth comes only after this grant, and a fifth does not.
        #expect(host.state.withLock { $0.chunks[id]?.count } == 3)
        host.credit(id, 30_000)
        await host.chunks(of: id, count: 4)
        #expect(host.state.withLock { $0.chunks[id]?.count } == 4)
        host.credit(id, 10_000_000)
        #expect(await host.completion(of: id).code == THEATRE_OK)
        let chunks = host.state.withLock { $0.chunks[id] ?? [] }
        #expect(chunks.map(\.sequence) == Array(0...10))
        #expect(chunks.last?.flags == THEATRE_CHUNK_END)
    }

    @Test func receiverBoundsWhatItTakesAndGivesCreditBack() async throws {
        let host = try SeamTests.host()
        let id = host.newID()
        host.invoke(id, 4, [], flags: THEATRE_CALL_STREAM_IN | THEATRE_CALL_STREAM_OUT)
        let message =
            try HostFireRequest.with { $0.payload = Data(repeating: 1, count: 40_000) }
            .serializedBytes() as [UInt8]
        #expect(host.send(id, 0, message) == THEATRE_OK)
        #expect(host.send(id, 1, message) == THEATRE_OK)
        await host.chunks(of: id, count: 2)
        #expect((host.state.withLock { $0.credits[id] } ?? 0) >= 40_000)
        #expect(host.send(id, 2, [], flags: THEATRE_CHUNK_END) == THEATRE_OK)
        #expect(await host.completion(of: id).code == THEATRE_OK)
        #expect(host.send(id, 3, message) == THEATRE_NOT_FOUND)
    }

    @Test func gapInAStreamIsDataLoss() async throws {
        let host = try SeamTests.host()
        let id = host.newID()
        host.invoke(id, 4, [], flags: THEATRE_CALL_STREAM_IN | THEATRE_CALL_STREAM_OUT)
        #expect(host.send(id, 1, []) == THEATRE_INVALID_ARGUMENT)
        let answer = await host.completion(of: id)
        #expect(answer.code == THEATRE_DATA_LOSS)
        #expect(answer.reason == "plugin.stream_gap")
    }

    @Test func malformedMessageOfAStreamIsDataLoss() async throws {
        let host = try SeamTests.host()
        let id = host.newID()
        host.invoke(id, 4, [], flags: THEATRE_CALL_STREAM_IN | THEATRE_CALL_STREAM_OUT)
        #expect(host.send(id, 0, [0x0A, 0xFF, 0x01]) == THEATRE_OK)
        #expect(await host.completion(of: id).reason == "plugin.malformed_message")
    }

    @Test func errorComesAfterTheMessages() async throws {
        let (_, client) = try await echoes()
        let stream: Stream = try await client.serverStreaming("Count", fire("broken", at: 2), CallOptions())
        var seen = 0
        let error = await #expect(throws: PluginError.self) {
            for try await _ in stream { seen += 1 }
        }
        #expect(seen == 2)
        #expect(error?.reason == "echo.broken")
    }

    @Test(arguments: ["pool", "inline"]) func mirrorAnswersEachMessage(_ kind: String) async throws {
        let (host, client) = try await echoes(kind)
        let call: BidirectionalCall<HostFireRequest, HostFireRequest> = try await client.bidirectional(
            "Mirror", CallOptions())
        var answers = call.responses.makeAsyncIterator()
        for index in 0..<200 {
            try await call.send(fire("n", at: Int64(index), size: 1))
            #expect(try await answers.next()?.at == Int64(index))
        }
        call.finish()
        #expect(try await answers.next() == nil)
        await #expect(throws: PluginError.self) { try await call.send(fire("late")) }
        #expect(host.violations.isEmpty)
    }

    @Test func droppedStreamCancelsItsCall() async throws {
        let (host, client) = try await echoes()
        do {
            let stream: Stream = try await client.serverStreaming(
                "Count", fire("", at: .max, size: 1000), CallOptions())
            for try await _ in stream { break }
        }
        #expect(host.callsUnderWay == 0)
    }

    @Test func cancelledConsumerEndsTheCall() async throws {
        let (host, client) = try await echoes()
        let call: BidirectionalCall<HostFireRequest, HostFireRequest> = try await client.bidirectional(
            "Mirror", CallOptions())
        await #expect(throws: (any Error).self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for try await _ in call.responses {} }
                group.cancelAll()
                try await group.waitForAll()
                throw CancellationError()
            }
        }
        call.cancel()
        #expect(host.callsUnderWay == 0)
    }
}
