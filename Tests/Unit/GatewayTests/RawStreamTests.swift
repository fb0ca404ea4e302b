// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOEmbedded
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

/// Routes to theatre.http.v1.Handler/HandleStream: both bodies as they come.
@Suite(.timeLimit(.minutes(1))) struct RawStreamTests {
    static func entries(_ calls: FakeCalls, limit: Int = 1 << 20) -> [RouteEntry] {
        [
            .echo("POST", "/up/{name}", on: calls, bodyLimit: limit, body: .rawStream, headers: ["x-kind"]),
            .echo("GET", "/down", on: calls, body: .rawStream),
        ]
    }

    static func calls() -> FakeCalls {
        let calls = FakeCalls()
        calls.serve("theatre.http.v1.Handler/HandleStream") { _ in nil }
        return calls
    }

    static func bench(limit: Int = 1 << 20) throws -> (Bench, FakeCalls) {
        let calls = calls()
        return (try Bench(calls, entries(calls, limit: limit)), calls)
    }

    static func head(_ status: UInt32 = 200, type: String = "text/plain") throws -> [UInt8] {
        try HTTPResponsePart.with {
            $0.head.status = status
            $0.head.contentType = type
        }.serializedBytes()
    }

    static func data(_ text: String) throws -> [UInt8] {
        try HTTPResponsePart.with { $0.data = Data(text.utf8) }.serializedBytes()
    }

    static func parts(_ calls: FakeCalls) throws -> [HTTPRequestPart] {
        try calls.sent.map { try HTTPRequestPart(serializedBytes: $0) }
    }

    /// Whether the socket is read; nil where that was never switched.
    static func reads(_ bench: Bench) -> Bool? {
        bench.channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
    }

    static let upload = "POST /up/a%20b?x=1 HTTP/1.1\r\nHost: t\r\nX-Kind: k\r\nContent-Length: 6\r\n\r\n"

    @Test func theBodyGoesToThePluginAsItComes() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(Self.upload)
        let head = try #require(try Self.parts(calls).first).head
        #expect(head.method == "POST" && head.path == "/up/a%20b" && head.rawQuery == "x=1" && head.body.isEmpty)
        #expect(head.pathParameters.first?.value == "a b" && head.headers.first?.value == "k")
        try bench.send("abc")
        #expect(try Self.parts(calls).map { String(decoding: $0.data, as: UTF8.self) } == ["", "abc"])
        #expect(calls.ends == 0)
        try bench.send("def")
        #expect(try Self.parts(calls).map { String(decoding: $0.data, as: UTF8.self) } == ["", "abc", "def"])
        #expect(calls.ends == 1)
    }

    @Test func theAnswerGoesToTheClientAsItComes() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(request("GET", "/down"))
        calls.push(try Self.head(206, type: "text/csv"))
        bench.loop.run()
        let head = try bench.received()
        #expect(head.hasPrefix("HTTP/1.1 206 "))
        #expect(head.contains("content-type: text/csv\r\n") && head.contains("transfer-encoding: chunked\r\n"))
        #expect(head.contains("x-request-id: req_"))
        calls.push(try Self.data("one"))
        bench.loop.run()
        #expect(try bench.received() == "3\r\none\r\n")
        calls.push(try Self.data("three"), end: true)
        calls.finish(.success([]))
        bench.loop.run()
        #expect(try bench.received() == "5\r\nthree\r\n0\r\n\r\n")
        #expect(bench.channel.isActive)
        #expect(try bench.send(request("GET", "/healthz")).hasSuffix("ok\n"), "the connection serves on")
    }

    @Test func bodiesFlowBothWaysAtOnce() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(Self.upload + "abc")
        calls.push(try Self.head())
        calls.push(try Self.data("ABC"))
        bench.loop.run()
        #expect(try bench.received().hasSuffix("\r\n\r\n3\r\nABC\r\n"))
        try bench.send("def")
        #expect(calls.ends == 1)
        calls.finish(.success([]))
        bench.loop.run()
        #expect(try bench.received() == "0\r\n\r\n")
    }

    /// Reading pauses while the plugin gives no credit; the client is not timed out for it meanwhile.
    @Test func aSlowPluginHoldsTheClientBack() throws {
        let (bench, calls) = try Self.bench()
        calls.limit(1)
        try bench.send(Self.upload + "abc")
        #expect(try Self.parts(calls).count == 1, "the head took the credit")
        #expect(Self.reads(bench) == false)
        bench.advance(seconds: 120)
        #expect(bench.channel.isActive)
        calls.grant(1000)
        bench.loop.run()
        #expect(try Self.parts(calls).count == 2)
        #expect(Self.reads(bench) == true)
        bench.advance(seconds: 31)
        #expect(try bench.received().hasPrefix("HTTP/1.1 408 "), "now the client is what is slow")
        #expect(calls.cancelled == 1)
    }

    /// Holds writes back as a full socket does.
    final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var held: [EventLoopPromise<Void>?] = []
        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            held.append(promise)
            context.write(data, promise: nil)
        }
    }

    @Test func aSlowClientHoldsThePluginBack() throws {
        let (bench, calls) = try Self.bench()
        let socket = Socket()
        try bench.channel.pipeline.syncOperations.addHandler(socket, position: .first)
        try bench.send(request("GET", "/down"))
        let head = try Self.head()
        let data = try Self.data("abc")
        calls.push(head)
        bench.loop.run()
        #expect(calls.returned == RawStream.window + UInt64(head.count))
        calls.push(data)
        bench.loop.run()
        #expect(calls.returned == RawStream.window + UInt64(head.count), "the socket has not taken it")
        for promise in socket.held { promise?.succeed() }
        bench.loop.run()
        #expect(calls.returned == RawStream.window + UInt64(head.count + data.count))
    }

    /// As long as it takes something now and then it is served, however slow; else the call does not wait for it.
    @Test func aClientThatTakesNothingIsGivenUp() throws {
        let (bench, calls) = try Self.bench()
        let socket = Socket()
        try bench.channel.pipeline.syncOperations.addHandler(socket, position: .first)
        try bench.send(request("GET", "/down"))
        calls.push(try Self.head())
        let data: [UInt8] = try HTTPResponsePart.with { $0.data = Data(repeating: 1, count: 150_000) }.serializedBytes()
        calls.push(data)
        bench.loop.run()
        // Three of each part of the answer: its length, itself, and its end.
        for promise in socket.held.compactMap({ $0 }) {
            bench.advance(seconds: 9)
            promise.succeed()
            bench.loop.run()
        }
        #expect(bench.channel.isActive && calls.cancelled == 0)
        bench.advance(seconds: 120)
        #expect(bench.channel.isActive, "the plugin is what is slow")
        calls.push(try Self.data("more"))
        bench.loop.run()
        bench.advance(seconds: 31)
        #expect(!bench.channel.isActive && calls.cancelled == 1)
        #expect(try !bench.received().hasSuffix("0\r\n\r\n"), "it must not take that for the whole")
    }

    @Test func aPluginThatFailsBeforeItsHeadAnswersWithItsError() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(request("GET", "/down"))
        calls.finish(.failure(CallError(.notFound, "files.missing", "It is not there.")))
        bench.loop.run()
        let answer = try bench.received()
        #expect(answer.hasPrefix("HTTP/1.1 404 ") && answer.contains("files.missing"))
        #expect(bench.channel.isActive)
    }

    /// A client must not take what it has for the whole: no last chunk, and the connection ends.
    @Test func aPluginThatFailsMidwayBreaksTheConnection() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(request("GET", "/down"))
        calls.push(try Self.head())
        calls.push(try Self.data("half"))
        calls.finish(.failure(CallError(.internal, "files.torn", "It broke.")))
        bench.loop.run()
        let answer = try bench.received()
        #expect(answer.hasSuffix("4\r\nhalf\r\n"), "\(answer)")
        #expect(!answer.contains("It broke"))
        #expect(!bench.channel.isActive)
    }

    @Test func aPluginThatEndsWithoutAHeadIsAnError() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(request("GET", "/down"))
        calls.finish(.success([]))
        bench.loop.run()
        #expect(try bench.received().hasPrefix("HTTP/1.1 500 "))
    }

    @Test(arguments: ["data first", "head twice", "no message", "bad header"])
    func partsOutOfOrderEndTheCall(fault: String) throws {
        let (bench, calls) = try Self.bench()
        try bench.send(request("GET", "/down"))
        switch fault {
        case "data first": calls.push(try Self.data("a"))
        case "no message": calls.push([0xFF, 0xFF])
        case "bad header": calls.push(try Self.head(200, type: "a\r\nb: c"))
        default:
            calls.push(try Self.head())
            calls.push(try Self.head())
        }
        bench.loop.run()
        let answer = try bench.received()
        #expect(calls.cancelled == 1)
        if fault == "head twice" {
            #expect(!bench.channel.isActive && !answer.contains("0\r\n\r\n"))
        } else {
            #expect(answer.hasPrefix("HTTP/1.1 500 "), "\(answer)")
        }
        calls.finish(.failure(CallError(.cancelled, "test.cancelled", "Given up.")))
        bench.loop.run()
        #expect(try bench.received().isEmpty)
    }

    @Test func aBodyBeyondTheLimitIsRefusedAndTheCallGivenUp() throws {
        let (bench, calls) = try Self.bench(limit: 4)
        let chunked = "POST /up/a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
        try bench.send(chunked + "3\r\nabc\r\n")
        #expect(try Self.parts(calls).count == 2)
        #expect(try bench.send("3\r\ndef\r\n").hasPrefix("HTTP/1.1 413 "))
        #expect(calls.cancelled == 1)
        #expect(try Self.parts(calls).count == 2)
    }

    @Test func aClientThatLeavesEndsTheCall() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(Self.upload + "abc")
        try bench.channel.close().wait()
        #expect(calls.cancelled == 1)
        calls.push(try Self.head())
        calls.finish(.failure(CallError(.cancelled, "test.cancelled", "Given up.")))
        bench.loop.run()
    }

    @Test func headHasNoBody() throws {
        let (bench, calls) = try Self.bench()
        try bench.send(request("HEAD", "/down"))
        calls.push(try Self.head())
        let data = try Self.data("one")
        calls.push(data)
        calls.finish(.success([]))
        bench.loop.run()
        let answer = try bench.received()
        #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\n"), "\(answer)")
        #expect(calls.returned > RawStream.window + UInt64(data.count))
    }

    /// A quarter of a megabyte up and down, four windows, over a real socket, echoed part by part.
    @Test func aLongBodyIsEchoedOverASocket() async throws {
        let calls = EchoStream()
        let gateway = try await LiveGateway(calls, Self.entries(FakeCalls(), limit: 2 << 20))
        let body = String(repeating: "0123456789abcdef", count: 1 << 14)
        let answer = try await gateway.connect().ask(
            request("POST", "/up/a", ["Connection: close"], body: body), until: "\r\n0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(answer.contains("transfer-encoding: chunked") || answer.contains("connection: close"))
        #expect(answer.utf8.count > body.utf8.count)
        #expect(calls.echoed == body.utf8.count)
        await gateway.server.drain()
    }
}
