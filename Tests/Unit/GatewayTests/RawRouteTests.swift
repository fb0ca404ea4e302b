// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Gateway
@testable import Runtime

/// Routes to theatre.http.v1.Handler/Handle: both bodies whole.
@Suite struct RawRouteTests {
    static let operation = "theatre.http.v1.Handler/Handle"

    static func bench(_ answer: @escaping @Sendable (HTTPRequest) throws -> HTTPResponse) throws -> (Bench, FakeCalls) {
        let calls = FakeCalls()
        calls.serve(operation) { call in
            do {
                return .success(try answer(HTTPRequest(serializedBytes: call.payload)).serializedBytes())
            } catch {
                return .failure(error as? CallError ?? CallError(.internal, "test.failed", "\(error)"))
            }
        }
        let entries: [RouteEntry] = [
            .echo("POST", "/notify/{provider}", on: calls, body: .raw, headers: ["X-Signature"]),
            .echo("GET", "/feed", on: calls, body: .raw),
            .echo("POST", "/token", on: calls, body: .raw, headers: ["Authorization"]),
        ]
        return (try Bench(calls, entries), calls)
    }

    /// An empty line before it makes a request the decoder's.
    @Test(arguments: ["", "\r\n"], [0, 1, 127, 128, 20_000])
    func thePluginSeesTheRequestAsItWasReceived(before: String, size: Int) throws {
        let signature = String(repeating: "s", count: size)
        let (bench, calls) = try Self.bench { _ in .with { $0.status = 204 } }
        let answer = try bench.send(
            before
                + request(
                    "POST", "/notify/a%20b?x=1&x=%32&y",
                    ["x-SIGNATURE: \(signature)", "Content-Type: text/plain", "X-Other: o"],
                    body: "raw \u{0} bytes"))
        #expect(answer.hasPrefix("HTTP/1.1 204 No Content\r\n"))
        let seen = try HTTPRequest(serializedBytes: #require(calls.calls.first).payload)
        #expect(seen.method == "POST")
        #expect(seen.path == "/notify/a%20b")
        #expect(seen.route == "/notify/{provider}")
        #expect(seen.rawQuery == "x=1&x=%32&y")
        #expect(seen.body == Data("raw \u{0} bytes".utf8))
        #expect(seen.pathParameters.map { "\($0.name)=\($0.value)" } == ["provider=a b"])
        #expect(seen.query.map { "\($0.name)=\($0.value)" } == ["x=1", "x=2", "y="])
        #expect(
            Set(seen.headers.map { "\($0.name)=\($0.value)" }) == [
                "x-signature=\(signature)", "content-type=text/plain",
            ])
    }

    /// The clients of OAuth come with Basic; whoever says that he bears a token is still asked for a good one.
    @Test func anotherSchemeThanOursIsTheRoutesOwnWhereItSaysSo() throws {
        let (bench, calls) = try Self.bench { _ in .with { $0.status = 204 } }
        #expect(
            try bench.send(request("POST", "/token", ["Authorization: Basic YTpi"])).hasPrefix("HTTP/1.1 204 "))
        let seen = try HTTPRequest(serializedBytes: #require(calls.calls.first).payload)
        #expect(seen.headers.first { $0.name == "authorization" }?.value == "Basic YTpi")
        #expect(try #require(calls.calls.first).context.message.principal.isEmpty)
        for (path, header) in [
            ("/token", "Bearer forged"), ("/token", "bearer"), ("/notify/a", "Basic YTpi"), ("/notify/a", "Digest x"),
        ] {
            let answer = try bench.send(request("POST", path, ["Authorization: \(header)"]))
            #expect(answer.hasPrefix("HTTP/1.1 401 "), "\(path) \(header): \(answer)")
        }
        #expect(calls.calls.count == 1)
    }

    @Test func theClientSeesTheAnswerAsItWasGiven() throws {
        let (bench, _) = try Self.bench { _ in
            .with {
                $0.status = 207
                $0.contentType = "application/atom+xml"
                $0.body = Data("<feed/>".utf8)
                $0.headers = [
                    .with {
                        $0.name = "X-Kind"
                        $0.value = "a\tb"
                    }
                ]
            }
        }
        let answer = try bench.send(request("GET", "/feed"))
        #expect(answer.hasPrefix("HTTP/1.1 207 "))
        #expect(answer.contains("content-type: application/atom+xml\r\n"))
        #expect(answer.contains("content-length: 7\r\n"))
        #expect(answer.contains("x-kind: a\tb\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n<feed/>"))
        let head = try bench.send(request("HEAD", "/feed"))
        #expect(head.contains("content-length: 7\r\n") && head.hasSuffix("\r\n\r\n"))
    }

    /// What would break the framing, or is the host's to set, is an error of the plugin and not sent.
    @Test(arguments: [
        ("content-length", "1"), ("Transfer-Encoding", "chunked"), ("connection", "close"), ("X-Request-Id", "x"),
        ("x-a", "b\r\nx-evil: 1"), ("x-a", "b\u{0}"), ("bad name", "b"), ("", "b"), ("x:y", "b"),
    ])
    func headersThatMayNotBeSetAreRefused(name: String, value: String) throws {
        let (bench, _) = try Self.bench { _ in
            .with {
                $0.status = 200
                $0.headers = [
                    .with {
                        $0.name = name
                        $0.value = value
                    }
                ]
            }
        }
        let answer = try bench.send(request("GET", "/feed"))
        #expect(answer.hasPrefix("HTTP/1.1 500 "), "\(answer)")
        #expect(answer.contains("gateway.response") && !answer.contains("x-evil"), "\(answer)")
    }

    @Test(arguments: [0, 100, 199, 600, .max] as [UInt32]) func aStatusOutsideOfAnswersIsRefused(status: UInt32) throws
    {
        let (bench, _) = try Self.bench { _ in .with { $0.status = status } }
        #expect(try bench.send(request("GET", "/feed")).hasPrefix("HTTP/1.1 500 "))
    }

    @Test func aBodyBeyondTheLimitNeverReachesThePlugin() throws {
        let (bench, calls) = try Self.bench { _ in .with { $0.status = 200 } }
        let answer = try bench.send(
            request("POST", "/notify/a", body: String(repeating: "a", count: 1025)))
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
        #expect(calls.calls.isEmpty)
    }
}
