// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@Suite struct DeadlineTests {
    @Test func deadlineEndsTheCallAndCancelsTheHandler() async throws {
        let (host, client) = try await echoes()
        let error = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask { await failure { try await client.say("Wait", "x", CallOptions(timeout: .seconds(5))) } }
            await host.until { $0.callsUnderWay == 1 }
            host.advance(milliseconds: 4999)
            #expect(host.callsUnderWay == 1)
            host.advance(milliseconds: 1)
            return await group.next() ?? nil
        }
        #expect((error as? PluginError)?.code == .deadlineExceeded)
        #expect(host.violations.isEmpty)
    }

    @Test func deadlineOfTheCallerIsInherited() async throws {
        let host = TestHost()
        try await host.install(Echo.self, manifest: Echo.manifest(), instance: "first")
        host.route("echo", to: "first")
        host.serve("echo.next/Say") { (request: HostFireRequest, call) -> HostFireRequest in
            .with { $0.at = Int64(call.deadlineNanoseconds - call.host.monotonicNanoseconds) }
        }
        let client = Caller(host.scope(timeout: .seconds(3)), feature: "echo")
        #expect(try await client.say("Relay", "x").at == 3_000_000_000)
    }

    @Test func cancelledTaskGivesUpItsCall() async throws {
        let (host, client) = try await echoes()
        let error = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask { await failure { try await client.say("Wait", "x") } }
            await host.until { $0.callsUnderWay == 1 }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect((error as? PluginError)?.code == .cancelled)
        #expect(host.callsUnderWay == 0)
    }
}

/// What `body` throws.
private func failure<T>(_ body: () async throws -> T) async -> (any Error)? {
    do {
        _ = try await body()
        return nil
    } catch { return error }
}

extension TestHost {
    /// Yields until the condition holds.
    func until(_ condition: (TestHost) -> Bool) async {
        while !condition(self) { await Task.yield() }
    }
}
