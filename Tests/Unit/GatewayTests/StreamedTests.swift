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

/// Raw routes whose bodies pass through.
struct StreamedTests {
    static let operation = "theatre.http.v1.Handler/HandleStream"
    let calls = FakeCalls()
    let bench: Bench

    init() throws {
        calls.serve(Self.operation) { _ in nil }
        bench = try Bench(
            calls,
            [
                .echo("PUT", "/f/{name}", on: calls, bodyLimit: 1 << 30, raw: true, streamed: true),
                .echo("GET", "/f/{name}", on: calls, raw: true, headers: ["range"], streamed: true),
            ])
    }

    private func parts() throws -> [HTTPRequestPart] { try calls.sent.map { try HTTPRequestPart(serializedBytes: $0) } }

    private func head(_ status: UInt32 = 200, length: Int? = nil) throws -> [UInt8] {
        try HTTPResponsePart.with {
            $0.head.status = status
            $0.head.contentType = "text/plain"
            if let length {
                $0.head.headers = [
                    .with {
                        $0.name = "content-length"; $0.value = "\(length)"
                    }
                ]
            }
        }.serializedBytes()
    }

    private func data(_ text: String) throws -> [UInt8] {
        try HTTPResponsePart.with { $0.data = Data(text.utf8) }.serializedBytes()
    }

    private func received() throws -> String {
        bench.loop.run()
        return try bench.received()
    }

    @Test func theBodyGoesThroughAsItComes() throws {
        try bench.send("PUT /f/a%2Fb HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\nabc")
        #expect(try parts().count == 2)
        #expect(try parts()[0].head.method == "PUT" && parts()[0].head.pathParameters.first?.value == "a/b")
        #expect(try parts()[1].data == Data("abc".utf8) && !calls.sawEnd)
        try bench.send("def")
        #expect(try parts()[2].data == Data("def".utf8) && calls.sawEnd)
        calls.reply(try head(length: 2))
        calls.reply(try data("ok"))
        calls.finish(.success([]))
        let answer = try received()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains("content-length: 2\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nok"))
        #expect(calls.cancelled == 0)
        // The connection serves the next request.
        try bench.send(request("GET", "/f/x"))
        calls.reply(try head())
        calls.reply(try data("one"))
        calls.reply(try data("two"))
        calls.finish(.success([]))
        let next = try received()
        #expect(next.contains("transfer-encoding: chunked") && next.contains("one") && next.hasSuffix("0\r\n\r\n"))
    }

    @Test func withoutCreditTheSocketIsNotRead() throws {
        try bench.send("PUT /f/a HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc")
        calls.setStreamCredit(0)
        try bench.send("def")
        #expect(try parts().count == 2)
        // The client is not to blame: no time-out runs.
        bench.advance(seconds: 3600)
        #expect(try received().isEmpty)
        calls.setStreamCredit(100)
        bench.loop.run()
        #expect(try parts().count == 3 && !calls.sawEnd)
        try bench.send("ghi")
        #expect(try parts().count == 4 && calls.sawEnd)
    }

    @Test func answersAreCreditedOnceWritten() throws {
        try bench.send(request("GET", "/f/a"))
        let before = calls.credited
        calls.reply(try head(length: 5))
        calls.reply(try data("hello"))
        bench.loop.run()
        #expect(calls.credited - before == UInt64(try head(length: 5).count + data("hello").count))
    }

    @Test func headHasNoBody() throws {
        try bench.send(request("HEAD", "/f/a"))
        #expect(try parts()[0].head.method == "HEAD")
        calls.reply(try head(length: 5))
        calls.finish(.success([]))
        let answer = try received()
        #expect(answer.contains("content-length: 5\r\n") && answer.hasSuffix("\r\n\r\n"))
        #expect(bench.channel.isActive)
    }

    @Test func failureBeforeTheHeadIsAnError() throws {
        try bench.send("PUT /f/a HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc")
        calls.finish(.failure(CallError(.permissionDenied, "blob.bad_url", "no")))
        let answer = try received()
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("blob.bad_url"))
        #expect(answer.contains("connection: close"))
        #expect(calls.cancelled == 0)
    }

    @Test(arguments: ["failure", "short", "long"])
    func aBrokenAnswerEndsTheConnection(_ kind: String) throws {
        try bench.send(request("GET", "/f/a"))
        calls.reply(try head(length: 5))
        switch kind {
        case "failure":
            calls.reply(try data("he"))
            calls.finish(.failure(CallError(.dataLoss, "blob.corrupt", "no")))
        case "short":
            calls.reply(try data("he"))
            calls.finish(.success([]))
        default: calls.reply(try data("hello!"))
        }
        let answer = try received()
        #expect(!answer.contains("hello!") && !bench.channel.isActive)
    }

    @Test func aGoneClientEndsTheCall() throws {
        try bench.send("PUT /f/a HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc")
        #expect(calls.open == 1 && calls.cancelled == 0)
        _ = try bench.channel.finish(acceptAlreadyClosed: true)
        #expect(calls.cancelled == 1)
    }

    @Test func tooMuchIsRefusedAndTheCallGivenUp() throws {
        let bench = try Bench(
            calls, [.echo("PUT", "/f", on: calls, bodyLimit: 4, raw: true, streamed: true)])
        #expect(try bench.send(request("PUT", "/f", body: "12345")).hasPrefix("HTTP/1.1 413 "))
        #expect(calls.open == 0)
        let answer = try bench.send(
            "PUT /f HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 413 ") || answer.isEmpty)
    }

    @Test func slowBodyTimesOut() throws {
        try bench.send("PUT /f/a HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc")
        bench.advance(seconds: 3600)
        #expect(try bench.received().hasPrefix("HTTP/1.1 408 "))
        #expect(calls.cancelled == 1)
    }
}
