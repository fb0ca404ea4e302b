// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct BanTests {
    private func ban(_ fixture: AccountsFixture, _ account: String, until: Int64 = 0) async throws -> AccountsBan {
        try await fixture.bans().banUser(
            .with {
                $0.userID = account
                $0.reason = "shouts in the theatre"
                $0.until = until
            })
    }

    @Test func whoIsBannedIsShutOutAtOnceAndByEveryDoor() async throws {
        let fixture = try await AccountsFixture()
        let session = try await fixture.register()
        let ban = try await ban(fixture, session.account.id)
        #expect(ban.by == "usr_admin" && ban.at == fixture.host.now && ban.until == 0)
        // The gateway refuses his tokens by this event.
        let ended = try await fixture.events("session.revoked").map(\.aggregate)
        #expect(try ended == [fixture.session(of: session)])
        #expect(try await fixture.events("account.banned").map(\.aggregate) == [session.account.id])
        #expect(await fixture.failure { try await fixture.refresh(session.refreshToken) }?.code == .unauthenticated)
        let refused = await fixture.failure { try await fixture.login() }
        #expect(refused?.code == .permissionDenied && refused?.reason == "accounts.banned")
        let wrong = await fixture.failure { try await fixture.login("li@example.org", "a wrong password") }
        #expect(wrong?.reason == "accounts.refused")
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func aBanEndsByItselfOrByAnAdmin() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        _ = try await ban(fixture, account, until: fixture.host.now + 60_000)
        let refused = await fixture.failure { try await fixture.login() }
        #expect(refused?.reason == "accounts.banned" && refused?.retry == .after(milliseconds: 60_000))
        fixture.host.advance(milliseconds: 60_000)
        _ = try await fixture.login()
        _ = try await ban(fixture, account)
        #expect(await fixture.failure { try await fixture.login() }?.reason == "accounts.banned")
        _ = try await fixture.bans().unbanUser(.with { $0.userID = account })
        _ = try await fixture.login()
    }

    @Test func aBanNeedsSomebodyElseWhoIsThereAndATimeToCome() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        #expect(await fixture.failure { try await ban(fixture, "usr_nowhere") }?.reason == "accounts.no_user")
        #expect(await fixture.failure { try await ban(fixture, "usr_admin") }?.reason == "accounts.own_account")
        let past = await fixture.failure { try await ban(fixture, account, until: fixture.host.now) }
        #expect(past?.code == .invalidArgument && past?.detail == "/until")
        _ = try await fixture.login()
    }
}
