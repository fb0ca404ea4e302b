// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import SeededRandom
import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

@Suite struct RequestTests {
    static func echo() -> FakeCalls {
        let calls = FakeCalls()
        calls.serve("test.Echo/Echo") { .success($0.payload) }
        return calls
    }

    static func bench(_ configure: (inout GatewayConfiguration) -> Void = { _ in }) throws -> (Bench, FakeCalls) {
        let calls = echo()
        let entries: [RouteEntry] = [
            .echo("POST", "/echo/{name}", on: calls), .echo("GET", "/echo/{name}", on: calls),
            .echo("POST", "/small", on: calls, bodyLimit: 4),
        ]
        return (try Bench(calls, entries, configure), calls)
    }

    @Test func requestReachesThePluginAndItsAnswerTheClient() throws {
        let (bench, calls) = try Self.bench()
        let answer = try bench.send(request("POST", "/echo/a%20b?x=1", ["Accept-Language: zh-CN,en"], body: "{}"))
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nname=a b;x=1;{}"))
        #expect(answer.contains("x-request-id: req_"))
        let context = try #require(calls.calls.first).context.message
        #expect(context.route == "POST /echo/{name}")
        #expect(context.locale == "zh-CN")
        #expect(context.tenant == "default")
        #expect(context.requestDigest.count == 32)
        #expect(IdentitySource.isTraceparent(context.traceparent))
        #expect(context.requestID.hasPrefix("req_"))
        #expect(context.caller.isEmpty)
    }

    /// A digest of a body with a password in it would let one be guessed.
    @Test(arguments: [(true, true, true), (true, false, false), (false, true, false)])
    func noDigestOfABodyWithASecretIsKept(_ takesSecrets: Bool, _ idempotent: Bool, _ isHidden: Bool) throws {
        let calls = Self.echo()
        let codec = RouteBody.message(EchoCodec(takesSecrets: takesSecrets))
        let bench = try Bench(calls, [.echo("POST", "/echo", on: calls, idempotent: idempotent, body: codec)])
        for body in ["{}", #"{"password":"guess"}"#] { _ = try bench.send(request("POST", "/echo", body: body)) }
        let digests = Set(calls.calls.map(\.context.message.requestDigest))
        #expect(digests.count == (isHidden ? 1 : 2) && digests.allSatisfy { $0.count == 32 })
    }

    @Test(arguments: [
        ("de", "de"), ("zh-CN,en", "zh-CN"), ("en;q=0.5, de", "en"), (" en , de", "en"), ("*", ""), ("", ""),
        (",de", ""),
        ("d\u{e9}", ""), (String(repeating: "a", count: 36), ""),
    ])
    func localeIsTheFirstTag(languages: String, locale: String) {
        #expect(RequestHandler.locale(languages) == locale)
    }

    @Test(
        arguments: [
            (0, 0xfc2a015d812cad51), (1, 0x3db4db620e0f9741), (1024, 0x9334893ca3aabf8d), (1025, 0xf30289363e17225e),
            (5000, 0x5a4a63c34928f2f1),
        ] as [(Int, UInt64)])
    func digestIsOfMethodPathQueryAndBody(size: Int, start: UInt64) throws {
        let calls = Self.echo()
        let bench = try Bench(calls, [.echo("POST", "/echo", on: calls, bodyLimit: 10_000)])
        try bench.send(request("POST", "/echo?x=1", body: String(repeating: "b", count: size)))
        let digest = try #require(calls.calls.first).context.message.requestDigest
        #expect(digest.count == 32)
        #expect(digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } == start)
    }

    @Test func givenRequestIdAndTraceAreKept() throws {
        let (bench, calls) = try Self.bench()
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let answer = try bench.send(request("GET", "/echo/a", ["X-Request-Id: abc-1", "traceparent: \(trace)"]))
        #expect(answer.contains("x-request-id: abc-1\r\n"))
        #expect(calls.calls.first?.context.message.traceparent == trace)
    }

    @Test(arguments: [
        (request("GET", "/nowhere"), "404", "REQUEST-MISSING-001"),
        (request("DELETE", "/echo/a"), "405", "REQUEST-METHOD-001"),
        (request("OPTIONS", "/echo/a"), "405", "REQUEST-METHOD-001"),
        (request("GET", "/echo/%zz"), "400", "request.path"),
        (request("GET", "/echo/%00"), "400", "request.path"),
        (request("GET", "/echo/../echo/a"), "400", "REQUEST-INPUT-001"),
        (request("GET", "/echo/a?x=%1"), "400", "request.query"),
        (request("POST", "/small", body: "12345"), "413", "REQUEST-SIZE-001"),
        (request("GET", "/echo/" + String(repeating: "a", count: 9000)), "414", "request.target_too_long"),
        (
            request("GET", "/echo/a", ["X-A: " + String(repeating: "a", count: 40_000)]), "431",
            "request.headers_too_large"
        ),
        (request("GET", "/echo/a", (0..<120).map { "X-\($0): a" }), "431", "request.headers_too_large"),
    ])
    func faultyRequestIsRefused(text: String, status: String, code: String) throws {
        let (bench, calls) = try Self.bench()
        let answer = try bench.send(text)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains(code), "\(answer)")
        #expect(calls.calls.isEmpty)
    }

    @Test func notAllowedNamesTheMethods() throws {
        let (bench, _) = try Self.bench()
        #expect(try bench.send(request("PUT", "/echo/a")).contains("allow: GET, HEAD, POST\r\n"))
    }

    @Test(arguments: [
        ["Content-Length: 3", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 3"],
        ["Content-Length: 3", "Content-Length: 4"], ["Content-Length: +3"], ["Content-Length: 3, 3"],
        ["Content-Length: -1"], ["Content-Length: 99999999999999999999"], ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: identity"], ["X-Folded: a\r\n b"], ["Transfer-Encoding : chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Transfer-Encoding: xchunked"], ["Host: test"],
        ["Host: evil@test"],
    ])
    func ambiguousFramingIsRefusedAndTheConnectionClosed(headers: [String]) throws {
        let (bench, calls) = try Self.bench()
        let smuggled = request("GET", "/echo/smuggled")
        var answer = try bench.send(request("POST", "/echo/a", headers) + "0\r\n\r\n" + smuggled)
        bench.advance(seconds: 2)
        answer += try bench.received()
        #expect(answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
        #expect(answer.contains("connection: close"), "\(answer)")
        #expect(answer.components("HTTP/1.1 ") == 1, "\(answer)")
        #expect(calls.calls.isEmpty)
        #expect(!bench.channel.isActive)
    }

    /// Whoever stands before this host may have picked the route by it.
    @Test func hostIsSentOnceAndReadable() throws {
        let (bench, _) = try Self.bench()
        let plain = request("GET", "/echo/a")
        #expect(try bench.send(plain.replacing("Host: test", with: "Host: [::1]:8080")).hasPrefix("HTTP/1.1 200 "))
        #expect(try bench.send(plain.replacing("Host: test", with: "Host:")).hasPrefix("HTTP/1.1 200 "))
        let answer = try bench.send(plain.replacing("Host: test\r\n", with: ""))
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("Host is missing"), "\(answer)")
        #expect(!bench.channel.isActive)
    }

    /// What the decoder takes for the beginning of another protocol, it reads nothing behind.
    @Test(arguments: [
        "GET /echo/a HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: t\r\n\r\n",
    ])
    func nothingIsReadBehindAnotherProtocol(_ text: String) throws {
        let (bench, calls) = try Self.bench()
        let answer = try bench.send(text + request("GET", "/echo/smuggled"))
        #expect(answer.components("HTTP/1.1 ") == 1 && answer.contains("connection: close"), "\(answer)")
        #expect(calls.calls.count <= 1 && !bench.channel.isActive)
    }

    @Test(arguments: ["zz\r\n", "fffffffffffffffff\r\n", "0x2\r\n", "-2\r\n", "2\n", "2\r\nabc"])
    func aBodyThatCannotBeReadIsRefused(_ chunk: String) throws {
        let (bench, calls) = try Self.bench()
        let head = "POST /small HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        var answer = try bench.send(head + chunk + request("GET", "/echo/smuggled"))
        bench.advance(seconds: 2)
        answer += try bench.received()
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.components("HTTP/1.1 ") == 1, "\(answer)")
        #expect(calls.calls.isEmpty && !bench.channel.isActive)
    }

    /// The decoder throws extensions of chunks away, however long they are.
    @Test func chunksThatSayTooMuchOfThemselvesAreRefused() throws {
        let (bench, calls) = try Self.bench()
        var answer = try bench.send("POST /small HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1;")
        for _ in 0..<40 where answer.isEmpty { answer += try bench.send(String(repeating: "a", count: 10_000)) }
        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
        bench.advance(seconds: 2)
        #expect(calls.calls.isEmpty && !bench.channel.isActive)
    }

    @Test func chunkedBodyIsPutTogetherWithinTheLimit() throws {
        let (bench, calls) = try Self.bench()
        let head = "POST /small HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try bench.send(head + "2\r\nab\r\n").isEmpty)
        #expect(try bench.send("2\r\ncd\r\n0\r\n\r\n").hasSuffix("\r\n\r\nabcd"))
        let refused = try bench.send(head + "2\r\nab\r\n3\r\ncde\r\n")
        #expect(refused.hasPrefix("HTTP/1.1 413 "))
        #expect(calls.calls.count == 1)
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let calls = FakeCalls()
        calls.serve("test.Echo/Echo") { $0.payload.starts(with: Array("name=slow".utf8)) ? nil : .success($0.payload) }
        let bench = try Bench(calls, [.echo("GET", "/echo/{name}", on: calls)])
        let none = try bench.send(request("GET", "/echo/slow") + request("GET", "/echo/2") + request("GET", "/echo/3"))
        #expect(none.isEmpty)
        calls.finish(.success(Array("first".utf8)))
        bench.loop.run()
        let answers = try bench.received()
        let order = ["first", "name=2;", "name=3;"].map { answers.firstRange(of: $0)?.lowerBound }
        #expect(order.allSatisfy { $0 != nil })
        #expect(order.compactMap { $0 } == order.compactMap { $0 }.sorted())
    }

    @Test func headHasTheHeadersOfGetWithoutItsBody() throws {
        let (bench, _) = try Self.bench()
        let answer = try bench.send(request("HEAD", "/echo/abc"))
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("content-length: 9\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
    }

    @Test func continueIsSentOnlyToRequestsThatAreServed() throws {
        let (bench, _) = try Self.bench()
        let headers = ["Expect: 100-continue", "Content-Length: 2"]
        #expect(try bench.send(request("POST", "/small", headers)).hasPrefix("HTTP/1.1 100 Continue\r\n"))
        #expect(try bench.send("ok").hasSuffix("\r\n\r\nok"))
        let refused = try bench.send(request("POST", "/small", ["Expect: 100-continue", "Content-Length: 5"]))
        #expect(refused.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func slowHeadersAndBodiesTimeOutAndIdleConnectionsClose() throws {
        let (head, _) = try Self.bench()
        try head.send("GET /echo/a HT")
        head.advance(seconds: 11)
        #expect(try head.received().hasPrefix("HTTP/1.1 408 "))
        #expect(!head.channel.isActive)

        let (body, calls) = try Self.bench()
        try body.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
        body.advance(seconds: 29)
        #expect(body.channel.isActive)
        body.advance(seconds: 2)
        #expect(try body.received().hasPrefix("HTTP/1.1 408 "))
        #expect(calls.calls.isEmpty)

        let (idle, _) = try Self.bench()
        try idle.send(request("GET", "/echo/a"))
        idle.advance(seconds: 59)
        #expect(idle.channel.isActive)
        idle.advance(seconds: 12)
        #expect(!idle.channel.isActive)
    }

    @Test func waitingForThePluginNeverTimesOutHere() throws {
        let calls = FakeCalls()
        calls.serve("test.Echo/Echo") { _ in nil }
        let bench = try Bench(calls, [.echo("GET", "/echo", on: calls)])
        try bench.send(request("GET", "/echo"))
        bench.advance(seconds: 600)
        #expect(bench.channel.isActive)
        try bench.channel.close().wait()
        #expect(calls.cancelled == 1)
    }

    @Test(arguments: [
        (CallError(.failedPrecondition, "ledger.insufficient_funds", "no"), "402", "LEDGER-FUNDS-001"),
        (CallError(.failedPrecondition, "orders.payment_live", "no"), "423", "ORDERS-STATE-002"),
        (CallError(.failedPrecondition, "orders.closed", "no"), "422", "ORDERS-STATE-001"),
        (CallError(.notFound, "orders.unknown", "no"), "404", "ORDERS-MISSING-001"),
        (CallError(.unavailable, "sql.busy", "no", retry: .after(milliseconds: 1500)), "503", "retry-after: 2"),
        (CallError(.resourceExhausted, "plugin.busy", "no", retry: .safe), "429", "\"retryable\":true"),
        (CallError(.internal, "orders.bug", "a secret"), "500", "ORDERS-INTERNAL-001"),
        (CallError(.deadlineExceeded, "call.deadline", "no", effect: .unknown), "504", "\"effect\":\"unknown\""),
        (CallError(.invalidArgument, "orders.bad", "say \"what\"", detail: "/a"), "400", "say \\\"what\\\""),
    ])
    func errorsBecomeHTTPByOneMapping(error: CallError, status: String, text: String) throws {
        let calls = FakeCalls()
        calls.serve("test.Echo/Echo") { _ in .failure(error) }
        let bench = try Bench(calls, [.echo("GET", "/echo", on: calls)])
        let answer = try bench.send(request("GET", "/echo"))
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains(text), "\(answer)")
        #expect(!answer.contains("a secret"))
    }

    @Test func closedInstanceAnswersWithItsReason() throws {
        let (bench, calls) = try Self.bench()
        calls.close("echo")
        let answer = try bench.send(request("GET", "/echo/a"))
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("instance.closed"))
    }

    @Test func retiredTargetIsLookedUpAgainOnce() throws {
        let calls = FakeCalls()
        calls.serve("test.Echo/Echo") { call in
            calls.calls.count == 1
                ? .failure(CallError(.unavailable, "instance.retired", "swapped", retry: .safe))
                : .success(call.payload)
        }
        let bench = try Bench(calls, [.echo("GET", "/echo", on: calls)])
        #expect(try bench.send(request("GET", "/echo")).hasPrefix("HTTP/1.1 200 "))
        #expect(calls.calls.count == 2)
    }

    @Test func rateClassRefusesBeyondItsBurst() throws {
        let (bench, _) = try Self.bench { $0.rates["default"] = .init(perMinute: 60, burst: 2) }
        #expect(try bench.send(request("GET", "/echo/a")).contains("ratelimit: \"default\";r=1;t=1\r\n"))
        try bench.send(request("GET", "/echo/a"))
        let refused = try bench.send(request("GET", "/echo/a"))
        #expect(refused.hasPrefix("HTTP/1.1 429 "))
        #expect(refused.contains("retry-after: 1\r\n"))
        bench.advance(seconds: 1)
        #expect(try bench.send(request("GET", "/echo/a")).hasPrefix("HTTP/1.1 200 "))
    }

    @Test func beforeThereAreRoutesTheServerIsStarting() throws {
        var services = GatewayServices()
        services.isReady = { false }
        let answer = try Bench(FakeCalls(), [], services: services).send(request("GET", "/api/v1/me"))
        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.lowercased().contains("retry-after: 1\r\n"), "\(answer)")
        #expect(answer.contains("request.starting"))
        #expect(try Bench(FakeCalls(), []).send(request("GET", "/api/v1/me")).hasPrefix("HTTP/1.1 404 "))
    }

    @Test func probesAndMetricsAreServed() throws {
        let (bench, _) = try Self.bench()
        #expect(try bench.send(request("GET", "/healthz")).hasSuffix("ok\n"))
        #expect(try bench.send(request("GET", "/readyz?x=1")).hasSuffix("ready\n"))
        try bench.send(request("GET", "/echo/a"))
        let metrics = try bench.send(request("GET", "/metrics"))
        #expect(metrics.contains("theatre_http_requests_total{route=\"GET /echo/{name}\",status=\"2xx\"} 1\n"))
    }

    /// Random bytes and mutations of a good request neither trap nor reach a plugin as something else.
    @Test(arguments: FuzzPlan.current.seeds(60)) func noiseIsAnsweredOrDropped(seed: UInt64) throws {
        var random = IdentitySource(seed: seed)
        let (bench, _) = try Self.bench()
        var bytes = Array(
            request("POST", "/echo/a%20b?x=1&y", ["Accept-Language: a", "Expect: x"], body: "{\"a\":1}").utf8)
        for _ in 0..<(1 + random.next() % 6) {
            bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        let answer = try bench.send(String(decoding: bytes, as: UTF8.self))
        bench.advance(seconds: 100)
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1."))
        #expect(!bench.channel.isActive)
    }
}

extension String {
    func components(_ text: String) -> Int { ranges(of: text).count }
}
