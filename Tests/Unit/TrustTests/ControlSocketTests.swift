// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Control
import FoundationEssentials
import Glibc
import Testing
import TheatreManifest

/// Both ends of the control socket.
@Suite struct ControlSocketTests {
    private let path = "\(FileManager.default.temporaryDirectory.path)/control-\(UInt32.random(in: 0 ... .max)).sock"

    private func serve() async throws -> ControlServer {
        try await ControlServer(path: path) { request, answer in
            guard request["command"]?.string == "echo" else {
                return answer(ControlAnswer.failure("test.refused", "It knows echo alone."))
            }
            answer(ControlAnswer.success(request))
        }
    }

    @Test func aRequestIsAnsweredOrRefused() async throws {
        let server = try await serve()
        let client = ControlClient(path: path)
        let request = JSONValue.object([
            "command": .string("echo"), "text": .string(String(repeating: "永", count: 9000)),
        ])
        let answer = try #require(try client.ask(request))
        #expect(try ControlAnswer.result(of: answer) == request)
        let refused = try #require(try client.ask(.object([:])))
        #expect(throws: ControlRefusal.self) { try ControlAnswer.result(of: refused) }
        var facts = stat()
        #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        try await server.close()
        #expect(try client.ask(request) == nil, "nobody listens")
    }

    @Test func twoHostsDoNotShareASocket() async throws {
        let server = try await serve()
        await #expect(throws: ControlFailure.self) { try await serve() }
        try await server.close()
        let next = try await serve()
        try await next.close()
    }

    @Test func whatIsNoRequestIsRefused() async throws {
        let server = try await serve()
        let answer = try #require(try ControlClient(path: path).ask(.array([])))
        #expect(answer["reason"]?.string == "control.malformed")
        #expect(throws: ControlFailure.self) {
            try ControlClient(path: path).ask(.string(String(repeating: "x", count: 100_000)), seconds: 10)
        }
        try await server.close()
    }
}
