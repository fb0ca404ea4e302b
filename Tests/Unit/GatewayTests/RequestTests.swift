// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Gateway

@Suite struct RequestTests {
    static func echo(_ calls: FakeCalls) { calls.serve("test.Echo/Echo") { .success($0.payload) } }

    @Test func requestReachesThePluginAndItsAnswerTheClient() throws {
        let calls = FakeCalls()
        Self.echo(calls)
        let bench = try Bench(calls, [.echo("POST", "/api/v1/echo/{name}", on: calls)])
        let answer = try bench.send(request("POST", "/api/v1/echo/a%20b?x=1", body: "{}"))
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nname=a b;x=1;{}"))
        #expect(answer.contains("x-request-id: req_"))
    }
}
