// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import Gateway
@testable import Runtime

@Suite struct RequestReaderTests {
    private static let chunked =
        "POST /echo/chunked HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"

    private static func slow() -> FakeCalls {
        let calls = FakeCalls()
        calls.serve("test.Echo/Echo") { $0.payload.starts(with: Array("name=slow".utf8)) ? nil : .success($0.payload) }
        return calls
    }

    private static func bench(_ calls: FakeCalls) throws -> Bench {
        try Bench(calls, [.echo("GET", "/echo/{name}", on: calls), .echo("POST", "/echo/{name}", on: calls)])
    }

    private static func usesDecoder(_ bench: Bench) -> Bool {
        (try? bench.channel.pipeline.syncOperations.handler(type: HTTPServerPipelineHandler.self)) != nil
    }

    @Test func requestMayComeInTwoPieces() throws {
        let text = Array(request("POST", "/echo/a", ["Accept: */*"], body: "12345678").utf8)
        let (bench, calls) = try RequestTests.bench()
        for cut in 1..<text.count {
            #expect(try bench.send(String(decoding: text[..<cut], as: UTF8.self)).isEmpty)
            let answer = try bench.send(String(decoding: text[cut...], as: UTF8.self))
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\nname=a;12345678"), "cut at \(cut)")
        }
        #expect(calls.calls.count == text.count - 1)
        #expect(!Self.usesDecoder(bench))
    }

    @Test func requestMayComeByteByByte() throws {
        let (bench, calls) = try RequestTests.bench()
        for _ in 0..<2 {
            var answer = ""
            for byte in request("POST", "/echo/a", body: "1234").utf8 {
                answer += try bench.send(String(UnicodeScalar(byte)))
            }
            #expect(answer.hasSuffix("\r\n\r\nname=a;1234"), "\(answer)")
        }
        #expect(calls.calls.count == 2)
    }

    @Test func otherFramingInTheMiddleIsTheDecodersAndTheOrderStays() throws {
        let calls = Self.slow()
        let bench = try Self.bench(calls)
        let none = try bench.send(
            request("GET", "/echo/slow") + request("GET", "/echo/2") + Self.chunked + request("GET", "/echo/slow")
                + request("GET", "/echo/5"))
        #expect(none.isEmpty && calls.calls.count == 1 && !Self.usesDecoder(bench))
        calls.finish(.success(Array("first;".utf8)))
        bench.loop.run()
        #expect(Self.usesDecoder(bench))
        let some = try bench.received()
        calls.finish(.success(Array("fourth;".utf8)))
        bench.loop.run()
        let answers = some + (try bench.received())
        let bodies = answers.components(separatedBy: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != ";" } }
        #expect(bodies == ["first", "name=2", "name=chunked", "fourth", "name=5"], "\(answers)")
        #expect(try bench.send(request("GET", "/echo/6")).hasSuffix("name=6;"))
    }

    @Test func whatIsSentWhileARequestIsServedWaits() throws {
        let calls = Self.slow()
        let bench = try Self.bench(calls)
        try bench.send(request("GET", "/echo/slow"))
        for index in 0..<20 { #expect(try bench.send(request("GET", "/echo/\(index)")).isEmpty) }
        #expect(calls.calls.count == 1)
        calls.finish(.success(Array("first".utf8)))
        bench.loop.run()
        #expect(try bench.received().components("HTTP/1.1 200 OK") == 21)
        #expect(calls.calls.count == 21)
    }

    /// A client that sends on without taking answers is read no further than what came in one go.
    @Test func readingStopsWhileMoreWaits() throws {
        let calls = Self.slow()
        let bench = try Self.bench(calls)
        let reads = ReadCounter()
        try bench.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        try bench.send(request("GET", "/echo/slow"))
        bench.channel.pipeline.syncOperations.read()
        #expect(reads.count == 1)
        try bench.send(request("GET", "/echo/1"))
        bench.channel.pipeline.syncOperations.read()
        bench.channel.pipeline.syncOperations.read()
        #expect(reads.count == 1)
        calls.finish(.success([]))
        bench.loop.run()
        #expect(reads.count == 2)
    }

    @Test func noiseBehindARequestIsRefused() throws {
        let (bench, calls) = try RequestTests.bench()
        let answer = try bench.send(request("POST", "/echo/a", body: "12") + "345\r\n\r\n")
        #expect(answer.components("HTTP/1.1 200 OK") == 1 && answer.components("HTTP/1.1 400 ") == 1, "\(answer)")
        #expect(calls.calls.count == 1 && !bench.channel.isActive)
    }

    @Test func nothingIsServedAfterARequestThatCloses() throws {
        let (bench, calls) = try RequestTests.bench()
        let text = request("GET", "/echo/a", ["Connection: close"]) + request("GET", "/echo/b")
        let answer = try bench.send(text)
        #expect(answer.components("HTTP/1.1 200 OK") == 1 && answer.contains("connection: close"), "\(answer)")
        #expect(calls.calls.count == 1 && !bench.channel.isActive)
    }

    @Test(arguments: ["", "GET /echo/a HT"]) func drainClosesWhatServesNothing(begun: String) throws {
        let (bench, _) = try RequestTests.bench()
        try bench.send(request("GET", "/echo/a"))
        try bench.send(begun)
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        bench.loop.run()
        #expect(!bench.channel.isActive)
    }

    /// The listener may tell the connection before the host says that it drains.
    @Test(arguments: [true, false], [true, false]) func drainLetsARequestFinish(isWhole: Bool, isTold: Bool) throws {
        let calls = Self.slow()
        let bench = try Self.bench(calls)
        let text = request("POST", "/echo/slow", body: "1234")
        try bench.send(isWhole ? text : String(text.dropLast(2)))
        bench.core.isDraining.store(isTold, ordering: .relaxed)
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        bench.loop.run()
        #expect(bench.channel.isActive)
        if !isWhole { try bench.send(String(text.suffix(2))) }
        calls.finish(.success(Array("done".utf8)))
        bench.loop.run()
        let answer = try bench.received()
        #expect(answer.contains("connection: close\r\n") && answer.hasSuffix("\r\n\r\ndone"), "\(answer)")
        #expect(!bench.channel.isActive)
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}
