// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

/// Nothing that says who somebody is stands in the tables as it is.
struct SealingTests {
    /// What the accounts' columns hold.
    private func stored(_ fixture: AccountsFixture) async throws -> [(email: String, nickname: String, bio: String)] {
        try await fixture.rows(
            """
            /* tenants: all */ SELECT email, nickname, bio, sealed_profile FROM {accounts}
            WHERE pending = 0 AND erased_at IS NULL ORDER BY id
            """
        ).map { row in
            let sealed = String(decoding: try row.optionalBlob("sealed_profile") ?? Data(), as: UTF8.self)
            #expect(!sealed.contains("Wanderer"))
            return (try row.text("email"), try row.text("nickname"), try row.text("bio"))
        }
    }

    private func name(_ fixture: AccountsFixture, _ account: String) async throws -> AccountsAccount {
        try await fixture.client(principal: account).updateMe(
            .with {
                $0.nickname = "Wanderer"
                $0.bio = "walks"
            })
    }

    @Test func anAccountIsStoredSealedAndReadAsItWas() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        _ = try await name(fixture, account)
        let row = try #require(try await stored(fixture).first)
        #expect(row.email.hasPrefix("mac:") && row.nickname.isEmpty && row.bio.isEmpty)
        let me = try await fixture.client(principal: account).me(AccountsMeRequest())
        #expect(me.email == "li@example.org" && me.nickname == "Wanderer" && me.bio == "walks")
        #expect(await fixture.failure { try await fixture.register("LI@example.org") }?.reason == "accounts.exists")
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func anAddressIsLinkedSealedAndTaken() async throws {
        let fixture = try await AccountsFixture()
        let guest = try await fixture.guest().account.id
        _ = try await fixture.link("password", "gu@example.org", AccountsFixture.good, to: guest)
        let emails = try await stored(fixture).map(\.email)
        #expect(emails.count == 1 && emails.allSatisfy { $0.hasPrefix("mac:") })
        #expect(try await fixture.client(principal: guest).me(AccountsMeRequest()).email == "gu@example.org")
        #expect(await fixture.failure { try await fixture.register("gu@example.org") }?.reason == "accounts.exists")
    }

    /// Rows as they were before there were keys of persons: read as they are, their addresses taken, sealed by a job that
    /// the next activation starts and that may be cut off anywhere.
    @Test func rowsFromBeforeAreSealedByAJob() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let other = try await fixture.register("bo@example.org").account.id
        try await Database(fixture.probe, feature: "accounts.storage").commit {
            for (id, email) in [(account, "li@example.org"), (other, "bo@example.org")] {
                $0.run(
                    """
                    UPDATE {accounts} SET email = ?2, nickname = 'Wanderer', bio = 'walks', sealed_address = NULL,
                        sealed_profile = NULL WHERE tenant = 'default' AND id = ?1 /* tenants: all */
                    """, expect: 1, id, email)
            }
        }
        #expect(try await fixture.client(principal: account).me(AccountsMeRequest()).nickname == "Wanderer")
        #expect(await fixture.failure { try await fixture.register() }?.reason == "accounts.exists")
        // One changes meanwhile: its profile is sealed, its address not yet.
        _ = try await fixture.client(principal: other).updateMe(.with { $0.bio = "sits" })
        try await fixture.host.install(
            Accounts.self, manifest: .plugin("Identity/Accounts"), instance: "accounts", generation: 2)
        #expect(try await fixture.host.runJobs().map(\.state) == [.done])
        let rows = try await stored(fixture)
        #expect(rows.count == 2)
        for row in rows {
            #expect(row.email.hasPrefix("mac:") && row.nickname.isEmpty && row.bio.isEmpty)
        }
        let (me, bo) = (
            try await fixture.client(principal: account).me(AccountsMeRequest()),
            try await fixture.client(principal: other).me(AccountsMeRequest())
        )
        #expect(me.email == "li@example.org" && me.nickname == "Wanderer" && me.bio == "walks")
        #expect(bo.email == "bo@example.org" && bo.nickname == "Wanderer" && bo.bio == "sits")
        #expect(await fixture.failure { try await fixture.register() }?.reason == "accounts.exists")
        #expect(try await fixture.login().account.id == account)
    }

    /// One whose key was destroyed before the job came to him, by an erasure that goes on elsewhere, holds up nobody else.
    @Test func whoIsErasedMeanwhileHoldsUpNobodyElse() async throws {
        let fixture = try await AccountsFixture()
        var people: [String] = []
        for name in ["li", "bo", "gu"] {
            people.append(try await fixture.register("\(name)@example.org").account.id)
        }
        for person in people {
            try await fixture.change(
                """
                UPDATE {accounts} SET email = 'at@' || id, sealed_address = NULL, sealed_profile = NULL
                WHERE tenant = 'default' AND id = '\(person)' /* tenants: all */
                """)
        }
        fixture.personal.destroy(people.sorted()[1], at: fixture.host.now)
        try await fixture.host.install(
            Accounts.self, manifest: .plugin("Identity/Accounts"), instance: "accounts", generation: 2)
        #expect(try await fixture.host.runJobs().map(\.state) == [.done])
        let left = try await stored(fixture).map(\.email).filter { !$0.hasPrefix("mac:") }
        #expect(left == ["at@\(people.sorted()[1])"])
    }

    /// Addresses that were taken once, and are no more, are sealed and indexed like the others.
    @Test func anAddressOfAnOlderRuleIsNotLost() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        try await Database(fixture.probe, feature: "accounts.storage").commit {
            $0.run(
                """
                UPDATE {accounts} SET email = 'é@example.org', sealed_address = NULL
                WHERE tenant = 'default' AND id = ?1 /* tenants: all */
                """, expect: 1, account)
        }
        #expect(try await fixture.client(principal: account).me(AccountsMeRequest()).email == "é@example.org")
        try await fixture.host.install(
            Accounts.self, manifest: .plugin("Identity/Accounts"), instance: "accounts", generation: 2)
        #expect(try await fixture.host.runJobs().map(\.state) == [.done])
        #expect(try await stored(fixture).allSatisfy { $0.email.hasPrefix("mac:") })
        #expect(try await fixture.client(principal: account).me(AccountsMeRequest()).email == "é@example.org")
    }

    /// A new version of the key `index` makes no known address unknown.
    @Test func addressesAreIndexedByTheVersionThatBegan() async throws {
        let fixture = try await AccountsFixture()
        _ = try await fixture.register()
        fixture.versions.rotate("index", to: "2")
        #expect(await fixture.failure { try await fixture.register() }?.reason == "accounts.exists")
        #expect(try await fixture.register("bo@example.org").account.email == "bo@example.org")
    }
}
