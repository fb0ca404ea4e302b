// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct MergeTests {
    private func merge(_ fixture: AccountsFixture, into account: String, dryRun: Bool = false) async throws
        -> AccountsMerge
    {
        try await fixture.identities(account).mergeAccounts(
            .with {
                $0.provider = "password"
                $0.identifier = "li@example.org"
                $0.secret = AccountsFixture.good
                $0.dryRun = dryRun
            })
    }

    @Test func aDryRunSaysWhatMovesAndMovesNothing() async throws {
        let fixture = try await AccountsFixture()
        let member = try await fixture.register()
        let guest = try await fixture.guest().account.id
        let told = try await merge(fixture, into: guest, dryRun: true)
        #expect(told.id.isEmpty && told.from == member.account.id && told.into == guest)
        #expect(told.identities.map(\.provider) == ["password"] && told.sessions == 1 && told.keys == 0)
        _ = try await fixture.refresh(member.refreshToken)
        #expect(try await fixture.events("account.merged").isEmpty)
    }

    @Test func whatWasMergedSignsInToTheOtherAndItsIdLeadsThere() async throws {
        let fixture = try await AccountsFixture()
        let member = try await fixture.register()
        let guest = try await fixture.guest().account.id
        let merged = try await merge(fixture, into: guest)
        #expect(merged.undoUntil == fixture.host.now + 7 * 86_400_000)
        #expect(try await fixture.login().account.id == guest)
        #expect(await fixture.failure { try await fixture.refresh(member.refreshToken) }?.code == .unauthenticated)
        let shown = try await fixture.client(principal: guest).getUser(.with { $0.userID = member.account.id })
        #expect(shown.id == guest)
        #expect(try await fixture.events("account.merged").map(\.aggregate) == [member.account.id])
        #expect(try await fixture.events("session.revoked").count == 1)
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func aMergeIsUndoneWithinSevenDaysAndNotAfter() async throws {
        let fixture = try await AccountsFixture()
        let member = try await fixture.register().account.id
        let guest = try await fixture.guest().account.id
        let first = try await merge(fixture, into: guest)
        fixture.host.advance(milliseconds: 7 * 86_400_000 - 1)
        let stranger = await fixture.failure {
            try await fixture.identities(member).undoMerge(.with { $0.mergeID = first.id })
        }
        #expect(stranger?.reason == "accounts.not_found" || stranger?.reason == "accounts.no_merge")
        _ = try await fixture.identities(guest).undoMerge(.with { $0.mergeID = first.id })
        #expect(try await fixture.login().account.id == member)
        #expect(try await fixture.guest().account.id == guest)
        let again = await fixture.failure {
            try await fixture.identities(guest).undoMerge(.with { $0.mergeID = first.id })
        }
        #expect(again?.reason == "accounts.no_merge")
        let second = try await merge(fixture, into: guest)
        fixture.host.advance(milliseconds: 7 * 86_400_000)
        let late = await fixture.failure {
            try await fixture.identities(guest).undoMerge(.with { $0.mergeID = second.id })
        }
        #expect(late?.code == .failedPrecondition && late?.reason == "accounts.merge_final")
    }

    @Test func oneDoesNotMergeOneselfNorByAWrongPassword() async throws {
        let fixture = try await AccountsFixture()
        let member = try await fixture.register().account.id
        let own = await fixture.failure { try await merge(fixture, into: member) }
        #expect(own?.reason == "accounts.own_account")
        let guest = try await fixture.guest().account.id
        let wrong = await fixture.failure {
            try await fixture.identities(guest).mergeAccounts(
                .with {
                    $0.provider = "password"
                    $0.identifier = "li@example.org"
                    $0.secret = "a wrong password"
                })
        }
        #expect(wrong?.reason == "accounts.refused")
    }
}
