// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct RefreshTests {
    @Test func aTokenIsTradedForItsSuccessorAndTheSessionStays() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let second = try await fixture.refresh(first.refreshToken)
        #expect(second.refreshToken != first.refreshToken && second.account == first.account)
        #expect(try fixture.session(of: second) == fixture.session(of: first))
        #expect(second.accessToken != first.accessToken)
        let third = try await fixture.refresh(second.refreshToken)
        #expect(third.refreshToken != second.refreshToken)
        #expect(try await fixture.events("session.revoked").isEmpty)
    }

    @Test func withinTheGraceTheSameSuccessorIsAnswered() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let second = try await fixture.refresh(first.refreshToken)
        fixture.host.advance(milliseconds: 10_000)
        #expect(try await fixture.refresh(first.refreshToken).refreshToken == second.refreshToken)
        _ = try await fixture.refresh(second.refreshToken)
    }

    @Test func aTokenUsedAgainAfterTheGraceEndsTheSession() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let second = try await fixture.refresh(first.refreshToken)
        fixture.host.advance(milliseconds: 10_001)
        let reused = await fixture.failure { try await fixture.refresh(first.refreshToken) }
        #expect(reused?.code == .unauthenticated && reused?.reason == "accounts.refused")
        #expect(await fixture.failure { try await fixture.refresh(second.refreshToken) } == reused)
        let events = try await fixture.events("session.revoked")
        let session = try fixture.session(of: first)
        #expect(events.map(\.aggregate) == [session])
        #expect(events.first?.data.contains(#""session_id":"\#(session)""#) == true)
        #expect(fixture.host.logs.contains { $0.level == .warning && $0.fields.contains(session) })
    }

    @Test func anOldTokenWhoseSuccessorWasUsedEndsTheSessionAtOnce() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let second = try await fixture.refresh(first.refreshToken)
        let third = try await fixture.refresh(second.refreshToken)
        #expect(await fixture.failure { try await fixture.refresh(first.refreshToken) } != nil)
        #expect(await fixture.failure { try await fixture.refresh(third.refreshToken) } != nil)
        // Another session of the same account is not touched.
        _ = try await fixture.refresh(fixture.login().refreshToken)
    }

    @Test func manyAtOnceGetExactlyOneSuccessor() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let successors = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 {
                group.addTask { try await fixture.refresh(first.refreshToken).refreshToken }
            }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(successors.count == 16 && Set(successors).count == 1)
        #expect(try await fixture.rows("/* tenants: all */ SELECT * FROM {tokens}").count == 2)
        #expect(try await fixture.events("session.revoked").isEmpty)
        _ = try await fixture.refresh(successors[0])
    }

    @Test func aSessionLapsesAfterSevenIdleDaysAndAfterThirtyInAll() async throws {
        let fixture = try await AccountsFixture()
        let day: UInt64 = 86_400_000
        let idle = try await fixture.register()
        fixture.host.advance(milliseconds: 7 * day + 1)
        #expect(await fixture.failure { try await fixture.refresh(idle.refreshToken) }?.code == .unauthenticated)
        var token = try await fixture.login().refreshToken
        for _ in 0..<5 {
            fixture.host.advance(milliseconds: 6 * day)
            token = try await fixture.refresh(token).refreshToken
        }
        fixture.host.advance(milliseconds: 1)
        #expect(await fixture.failure { try await fixture.refresh(token) }?.reason == "accounts.refused")
        // The next sign-in removes what has lapsed.
        _ = try await fixture.login()
        #expect(try await fixture.rows("/* tenants: all */ SELECT * FROM {sessions}").count == 1)
        #expect(try await fixture.rows("/* tenants: all */ SELECT * FROM {tokens}").count == 1)
    }

    @Test func aSignOutEndsTheSessionOnceAndOnlyOnesOwn() async throws {
        let fixture = try await AccountsFixture()
        let session = try await fixture.register()
        let id = try fixture.session(of: session)
        _ = try await fixture.client(principal: "usr_other", session: id).logout(AccountsLogoutRequest())
        _ = try await fixture.refresh(session.refreshToken)
        for _ in 0..<2 {
            _ = try await fixture.client(principal: session.account.id, session: id).logout(AccountsLogoutRequest())
        }
        #expect(await fixture.failure { try await fixture.refresh(session.refreshToken) }?.code == .unauthenticated)
        #expect(try await fixture.events("session.revoked").count == 1)
    }

    @Test(arguments: ["", "x", String(repeating: "A", count: 43), String(repeating: "=", count: 43)])
    func whatWasNeverGivenOutIsRefused(_ token: String) async throws {
        let fixture = try await AccountsFixture()
        let error = await fixture.failure { try await fixture.refresh(token) }
        #expect(error?.code == .unauthenticated && error?.reason == "accounts.refused")
    }

    @Test func noTokenIsStoredInClear() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let second = try await fixture.refresh(first.refreshToken)
        let stored = try await fixture.rows("/* tenants: all */ SELECT hash FROM {tokens}").map {
            Array(try $0.blob("hash"))
        }
        #expect(Set(stored) == [Digest.sha256(first.refreshToken.utf8), Digest.sha256(second.refreshToken.utf8)])
        let session = try #require(
            try await fixture.rows("/* tenants: all */ SELECT current, previous FROM {sessions}").first)
        #expect(try Array(session.blob("current")) == Digest.sha256(second.refreshToken.utf8))
        #expect(try session.optionalBlob("previous").map(Array.init) == Digest.sha256(first.refreshToken.utf8))
    }
}
