// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@Suite struct UnaryCallTests {
    @Test(arguments: ["pool", "inline"]) func answerComesBack(_ kind: String) async throws {
        let (host, client) = try await echoes(kind)
        #expect(try await client.say("Say", "anything").name == "anything")
        #expect(try await client.say("Relay", "through two").name == "through two")
        #expect(host.violations.isEmpty)
        #expect(host.callsUnderWay == 0)
    }

    @Test(arguments: ["pool", "inline"]) func errorCrossesWhole(_ kind: String) async throws {
        let (_, client) = try await echoes(kind)
        let expected = PluginError(
            .failedPrecondition, "echo.failed", "As was asked for.", effect: .applied, retry: .after(milliseconds: 250),
            detail: "/name")
        await #expect(throws: expected) { try await client.say("Say", "fail") }
        await #expect(throws: expected) { try await client.say("Relay", "fail") }
    }

    @Test func foreignErrorNamesItsTypeOnly() async throws {
        let (_, client) = try await echoes()
        let error = await #expect(throws: PluginError.self) { try await client.say("Say", "strange") }
        #expect(error?.code == .internal)
        #expect(error?.reason == "plugin.unexpected")
        #expect(error?.message.contains("Strange") == true)
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test func contextIsInheritedAndCallerSetAnew() async throws {
        let (_, client) = try await echoes()
        #expect(try await client.say("Say", "who").name == "usr_1/default/test/1")
        #expect(try await client.say("Relay", "who").name == "usr_1/default/first/1")
    }

    @Test func undeclaredCallIsRefusedWithItsName() async throws {
        let host = TestHost()
        try await host.install(Echo.self, manifest: Echo.manifest(), instance: "first")
        host.route("echo", to: "first")
        host.serve("echo.next/Say") { (request: HostFireRequest, call) in
            #expect(call.idempotencyKey == "k1")
            return fire("faked")
        }
        #expect(try await Caller(host.scope(), feature: "echo").say("Relay", "x").name == "faked")
    }

    @Test func defaultsOfTheSchemaAreFilledIn() async throws {
        let (_, client) = try await echoes()
        #expect(try await client.say("Say", "greeting").name == "hello")
    }

    @Test func logFieldsAreJSON() async throws {
        let (host, client) = try await echoes()
        _ = try await client.say("Say", "log")
        let line = try #require(host.logs.first { $0.message == "echo.said" })
        #expect(line.fields == #"{"at":"\#(host.now)","text":"a \"quoted\"\nline"}"#)
        #expect(line.level == .debug)
    }
}
