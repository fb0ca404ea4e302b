// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct HTTP2Tests {
    @Test func requestsOverTLSAreServedAsStreamsOfOneConnection() async throws {
        let calls = RequestTests.echo()
        let gateway = try await HTTP2Gateway.start(calls, [.echo("POST", "/echo/{name}", on: calls)])
        for name in ["a", "b"] {
            let (_, answer) = try await gateway.request(.POST, "/echo/\(name)", body: "body")
            #expect(try await answer.get() == "200 name=\(name);body")
        }
        await gateway.server.drain()
        try await gateway.channel.closeFuture.get()
    }
}
