// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct SessionListTests {
    private func sessions(_ fixture: AccountsFixture, _ account: String, current: String = "") async throws
        -> [AccountsSessionInfo]
    {
        try await fixture.client(principal: account, session: current).listSessions(AccountsListSessionsRequest()).items
    }

    @Test func aSessionIsListedUntilItEnds() async throws {
        let fixture = try await AccountsFixture(#"{"refresh_idle_days": 1}"#)
        let account = try await fixture.register().account.id
        fixture.host.advance(milliseconds: 1000)
        let second = try await fixture.login()
        let current = try #require(try fixture.part(1, of: second.accessToken)["sid"])
        let listed = try await sessions(fixture, account, current: current)
        #expect(listed.map(\.current) == [true, false] && listed[0].id == current)
        #expect(listed[0].createdAt == fixture.host.now)
        _ = try await fixture.client(principal: account, session: current).revokeSession(
            .with { $0.sessionID = listed[1].id })
        #expect(try await sessions(fixture, account).map(\.id) == [current])
        #expect(try await fixture.events("session.revoked").count == 1)
        fixture.host.advance(milliseconds: 86_400_001)
        #expect(try await sessions(fixture, account).isEmpty)
    }

    @Test func anothersSessionCannotBeEndedNorOneTwice() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let other = try await fixture.register("other@example.org").account.id
        let id = try await sessions(fixture, account)[0].id
        func end(_ principal: String) async -> String? {
            await fixture.failure {
                try await fixture.client(principal: principal).revokeSession(.with { $0.sessionID = id })
            }?.reason
        }
        #expect(await end(other) == "accounts.no_session")
        #expect(try await sessions(fixture, account).count == 1)
        _ = try await fixture.client(principal: account).revokeSession(.with { $0.sessionID = id })
        #expect(await end(account) == "accounts.no_session")
    }
}
