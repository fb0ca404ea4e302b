// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

struct TableSecrets: SecretSource {
    var values: [String: String] = ["env:BOT": "123:ABC/x", "env:KEY": "s3cr3t"]

    func value(for source: String) throws(CallError) -> SecretBytes {
        guard let value = values[source] else { throw CallError(.failedPrecondition, "secrets.missing", "Missing.") }
        return SecretBytes(value.utf8)
    }
}

private let monotonic: @Sendable () -> UInt64 = { DispatchTime.now().uptimeNanoseconds }

func service(requiresTLS: Bool = true, authorities: [String] = []) throws -> EgressService {
    try EgressService(
        group: MultiThreadedEventLoopGroup.singleton, secrets: TableSecrets(), monotonic: monotonic,
        policy: EgressPolicy(requiresTLS: requiresTLS), authorities: authorities)
}

func grants(_ host: String, _ port: Int?, isPrivate: Bool = true) -> ResolvedGrants {
    var grants = ResolvedGrants()
    grants.egress = [.init(host: host, port: port, isPrivate: isPrivate)]
    grants.secrets = [
        "bot": .init(source: "env:BOT", hosts: ["127.0.0.1"], places: ["path"], isLease: false),
        "key": .init(source: "env:KEY", hosts: ["127.0.0.1"], places: ["Authorization"], isLease: false),
        "app": .init(source: "env:BOT", hosts: ["127.0.0.1"], places: ["query"], isLease: false),
    ]
    return grants
}

func get(_ url: String, _ headers: [(String, String)] = [], maximum: UInt32 = 0, timeout: UInt32 = 30_000)
    -> HostFetchRequest
{
    HostFetchRequest.with { request in
        request.method = "GET"
        request.url = url
        request.maxResponseBytes = maximum
        request.timeoutMs = timeout
        request.headers = headers.map { name, value in
            HostHeader.with {
                $0.name = name
                $0.value = value
            }
        }
    }
}

func fetch(
    _ service: EgressService, _ request: HostFetchRequest, _ grants: ResolvedGrants, operation: String = "Fetch",
    traceparent: String = "", credit: Int = .max
) throws -> FakeHostCall {
    let call = try FakeHostCall(request, grants: grants, traceparent: traceparent, credit: credit)
    service.serve(operation, call)
    return call
}

@Suite struct EgressTests {
    @Test func anAnswerComesBackWhole() async throws {
        let server = try await TestServer.open { $0.answer(.created, ["X-Kind": "Echo"], $0.body) }
        let service = try service()
        var request = get("http://127.0.0.1:\(server.port)/a/b?c=%20d", [("x-mine", "1")])
        request.method = "POST"
        request.body = Data("hello".utf8)
        let call = try fetch(
            service, request, grants("127.0.0.1", server.port), traceparent: "00-0123-4567-01")
        let response = try await call.response(HostFetchResponse.self)
        #expect(response.status == 201)
        #expect(response.body == Data("hello".utf8))
        #expect(response.headers.contains { $0.name == "x-kind" && $0.value == "Echo" })
        let seen = try #require(server.received.first)
        #expect(seen.head.uri == "/a/b?c=%20d")
        #expect(seen.head.headers["x-mine"] == ["1"])
        #expect(seen.head.headers["traceparent"] == ["00-0123-4567-01"])
        #expect(seen.head.headers["content-length"] == ["5"])
        #expect(seen.head.headers["host"] == ["127.0.0.1:\(server.port)"])
        try await service.shutdown().get()
    }

    @Test func redirectsAreAnswersAndNotFollowed() async throws {
        let server = try await TestServer.open { $0.answer(.found, ["location": "/elsewhere"]) }
        let service = try service()
        let call = try fetch(service, get("http://127.0.0.1:\(server.port)/"), grants("127.0.0.1", server.port))
        #expect(try await call.response(HostFetchResponse.self).status == 302)
        #expect(server.received.count == 1)
        try await service.shutdown().get()
    }

    @Test(arguments: [
        "https://other.example/", "https://example.com:8443/", "https://evilexample.com/", "http://10.0.0.1/",
    ])
    func whatIsNotGrantedIsRefused(url: String) async throws {
        let service = try service()
        var grants = grants("example.com", nil, isPrivate: false)
        grants.egress.append(.init(host: "*.example.com", port: nil, isPrivate: false))
        let error = await (try fetch(service, get(url), grants)).error()
        #expect(error?.code == .permissionDenied)
        #expect(error?.reason == "egress.refused")
        #expect(error?.effect == CallError.Effect.none)
        try await service.shutdown().get()
    }

    @Test(arguments: ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.9"])
    func privateLiteralsNeedAPrivateGrant(host: String) async throws {
        let service = try service()
        let error = await (try fetch(service, get("https://\(host)/"), grants(host, nil, isPrivate: false))).error()
        #expect(error?.reason == "egress.refused")
        try await service.shutdown().get()
    }

    @Test func plainHTTPNeedsAPrivateGrant() async throws {
        let service = try service()
        let call = try fetch(service, get("http://example.com:8080/"), grants("example.com", 8080, isPrivate: false))
        #expect(await call.error()?.reason == "egress.refused")
        try await service.shutdown().get()
    }

    @Test func aNameThatLeadsInwardIsRefusedBeforeAnythingIsSent() async throws {
        let server = try await TestServer.open { $0.answer() }
        let service = try service(requiresTLS: false)
        let open = grants("localhost", server.port, isPrivate: false)
        let error = await (try fetch(service, get("http://localhost:\(server.port)/"), open)).error()
        #expect(error?.code == .permissionDenied)
        #expect(error?.reason == "egress.refused")
        #expect(error?.effect == CallError.Effect.none)
        #expect(server.received.isEmpty)
        // A pool that a private grant has filled is not lent to one without.
        let inward = try fetch(service, get("http://localhost:\(server.port)/"), grants("localhost", server.port))
        #expect(try await inward.response(HostFetchResponse.self).status == 200)
        let again = await (try fetch(service, get("http://localhost:\(server.port)/"), open)).error()
        #expect(again?.reason == "egress.refused")
        #expect(server.received.count == 1)
        try await service.shutdown().get()
    }

    @Test(arguments: ["Fetch", "FetchStream"])
    func answersBeyondTheBoundAreGivenUp(operation: String) async throws {
        let server = try await TestServer.open { request in
            // Without a length that would give it away.
            request.channel.write(
                HTTPServerResponsePart.head(
                    .init(version: .http1_1, status: .ok, headers: ["transfer-encoding": "chunked"])),
                promise: nil)
            for _ in 0..<4 {
                request.channel.write(
                    HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(repeating: 7, count: 600))), promise: nil)
            }
            request.channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)/", maximum: 2399), grants("127.0.0.1", server.port),
            operation: operation)
        let error = await call.error()
        #expect(error?.code == .resourceExhausted)
        #expect(error?.reason == "egress.too_large")
        let whole = try fetch(
            service, get("http://127.0.0.1:\(server.port)/", maximum: 2400), grants("127.0.0.1", server.port))
        #expect(try await whole.response(HostFetchResponse.self).body.count == 2400)
        try await service.shutdown().get()
    }

    @Test func aServerThatNeverAnswersHasAnUnknownEffect() async throws {
        let server = try await TestServer.open { _ in }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)/", timeout: 2000), grants("127.0.0.1", server.port))
        let error = await call.error()
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.effect == .unknown)
        #expect(error?.retry == .never)
        try await service.shutdown().get()
    }

    @Test func aConnectionThatBreaksHasAnUnknownEffect() async throws {
        let server = try await TestServer.open { $0.channel.close(promise: nil) }
        let service = try service()
        let call = try fetch(service, get("http://127.0.0.1:\(server.port)/"), grants("127.0.0.1", server.port))
        let error = await call.error()
        #expect(error?.code == .unavailable)
        #expect(error?.effect == .unknown)
        try await service.shutdown().get()
    }

    @Test func aRefusedConnectionHasNoEffect() async throws {
        let server = try await TestServer.open { $0.answer() }
        let port = server.port
        try await server.close()
        let service = try service()
        let call = try fetch(service, get("http://127.0.0.1:\(port)/"), grants("127.0.0.1", port))
        let error = await call.error()
        #expect(error?.code == .unavailable)
        #expect(error?.effect == CallError.Effect.none)
        #expect(error?.retry == .safe)
        try await service.shutdown().get()
    }

    @Test func secretsGoWhereTheyAreBound() async throws {
        let server = try await TestServer.open { $0.answer() }
        let service = try service()
        let base = "http://127.0.0.1:\(server.port)"
        let call = try fetch(
            service,
            get(
                base + "/bot${secret:bot}/send?id=1&secret=${secret:app}", [("authorization", "Bearer ${secret:key}")]),
            grants("127.0.0.1", server.port))
        _ = try await call.response(HostFetchResponse.self)
        #expect(server.received.first?.head.uri == "/bot123:ABC%2Fx/send?id=1&secret=123:ABC%2Fx")
        #expect(server.received.first?.head.headers["authorization"] == ["Bearer s3cr3t"])
        try await service.shutdown().get()
    }

    @Test(arguments: [
        ("/${secret:key}", "x-a", "b"), ("/", "x-api-key", "${secret:key}"), ("/?q=${secret:bot}", "x-a", "b"),
        ("/", "authorization", "${secret:bot}"), ("/${secret:other}", "x-a", "b"),
        ("/${secret:app}", "x-a", "b"),
    ])
    func misplacedSecretsAreRefused(path: String, header: String, value: String) async throws {
        let server = try await TestServer.open { $0.answer() }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)\(path)", [(header, value)]), grants("127.0.0.1", server.port))
        let error = try #require(await call.error())
        #expect(error.code == .permissionDenied)
        #expect(error.reason == "egress.secret_misplaced")
        #expect(!error.message.contains("s3cr3t") && !error.message.contains("ABC"))
        #expect(server.received.isEmpty)
        try await service.shutdown().get()
    }

    @Test(arguments: ["host", "Content-Length", "connection", "transfer-encoding", "te", "upgrade"])
    func headersOfTheHostAreRefused(name: String) async throws {
        let service = try service()
        let call = try fetch(service, get("http://127.0.0.1:1/", [(name, "1")]), grants("127.0.0.1", 1))
        #expect(await call.error()?.reason == "egress.reserved_header")
        try await service.shutdown().get()
    }

    @Test func ownHostLeadsToTheListener() async throws {
        let server = try await TestServer.open { $0.answer(.ok, [:], Array("own".utf8)) }
        let service = try service()
        let own = grants("self.theatre", nil)
        let early = try fetch(service, get("http://self.theatre/x?y=1"), own)
        #expect(await early.error()?.reason == "egress.self_not_ready")
        service.setOwnURL { "http://127.0.0.1:\(server.port)" }
        let call = try fetch(service, get("http://self.theatre/x?y=1"), own)
        #expect(try await call.response(HostFetchResponse.self).body == Data("own".utf8))
        #expect(server.received.first?.head.uri == "/x?y=1")
        let foreign = try fetch(service, get("http://self.theatre/x"), grants("127.0.0.1", server.port))
        #expect(await foreign.error()?.reason == "egress.refused")
        try await service.shutdown().get()
    }

    @Test func aStreamWaitsForCredit() async throws {
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let server = try await TestServer.open { $0.answer(.ok, [:], body) }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)/"), grants("127.0.0.1", server.port),
            operation: "FetchStream", credit: 2000)
        var credit = 2000
        for await _ in call.refusals {
            #expect(call.sent.reduce(0) { $0 + $1.count } <= credit)
            credit += 20_000
            call.give(20_000)
        }
        #expect(credit > 100_000)
        _ = await call.answer()
        #expect(await call.error() == nil)
        #expect(try data(call) == Data(body))
        #expect(try HostFetchPart(serializedBytes: call.sent[0]).head.status == 200)
        try await service.shutdown().get()
    }

    @Test func aCancelledStreamHangsUp() async throws {
        let (closed, close) = AsyncStream.makeStream(of: Void.self)
        let server = try await TestServer.open { request in
            request.channel.closeFuture.whenComplete { _ in close.finish() }
            request.channel.write(
                HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok, headers: ["content-length": "900"])),
                promise: nil)
            request.channel.writeAndFlush(
                HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "first"))), promise: nil)
        }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)/"), grants("127.0.0.1", server.port), operation: "FetchStream"
        )
        await call.messages(2)
        call.cancel()
        let error = await call.error()
        #expect(error?.code == .cancelled)
        for await _ in closed {}
        try await service.shutdown().get()
    }

    /// OK ends the stream: what came before it is the whole body, also an empty one.
    @Test(arguments: [0, 1, 40_000]) func aStreamEndsWithTheCall(size: Int) async throws {
        let body = [UInt8](repeating: 5, count: size)
        let server = try await TestServer.open { $0.answer(.ok, [:], body) }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)/"), grants("127.0.0.1", server.port), operation: "FetchStream"
        )
        guard case .message(let last) = await call.answer() else {
            Issue.record("the stream failed")
            return
        }
        #expect(last.isEmpty, "the answer of a stream says no more than that it is over")
        let parts = try call.sent.map { try HostFetchPart(serializedBytes: $0) }
        #expect(parts.map { $0.part == .head($0.head) } == [true] + parts.dropFirst().map { _ in false })
        #expect(try data(call) == Data(body))
        try await service.shutdown().get()
    }

    /// What was sent before the error is all that came of the body.
    @Test(arguments: [("egress.broken", UInt32(0)), ("egress.too_large", 8)])
    func aStreamThatFailsMidwayTellsSoAtItsEnd(reason: String, maximum: UInt32) async throws {
        let server = try await TestServer.open { request in
            request.channel.write(
                HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok, headers: ["content-length": "900"])),
                promise: nil)
            request.channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "first"))))
                .whenSuccess {
                    guard maximum > 0 else { return request.channel.close(promise: nil) }
                    request.channel.writeAndFlush(
                        HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "second"))), promise: nil)
                }
        }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)/", maximum: maximum), grants("127.0.0.1", server.port),
            operation: "FetchStream")
        let error = try #require(await call.error())
        #expect(error.reason == reason)
        #expect(error.effect == .unknown)
        #expect(error.retry == .never)
        #expect(try HostFetchPart(serializedBytes: call.sent[0]).head.status == 200)
        #expect(Data("first".utf8).starts(with: try data(call)))
        try await service.shutdown().get()
    }

    /// What a plugin's own message may not have, the host's answer may.
    @Test func anAnswerOfSeveralMegabytesComesBackWhole() async throws {
        let body = [UInt8](repeating: 9, count: 3 << 20)
        let server = try await TestServer.open { $0.answer(.ok, [:], body) }
        let service = try service()
        let call = try fetch(
            service, get("http://127.0.0.1:\(server.port)/", maximum: 16 << 20), grants("127.0.0.1", server.port))
        let answer = await call.answer()
        try await service.shutdown().get()
        guard case .message(let bytes) = answer else {
            Issue.record("the request failed: \(answer)")
            return
        }
        #expect(bytes.count > body.count)
        #expect(EgressPlan.largestMaximumBytes + (1 << 20) <= Dispatcher.Limits().serviceAnswerSize)
    }

    private func data(_ call: FakeHostCall) throws -> Data {
        try call.sent.reduce(into: Data()) { $0.append(try HostFetchPart(serializedBytes: $1).data) }
    }
}
