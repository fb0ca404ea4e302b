// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

/// What is held of a person is told him, and erased at his wish.
struct ErasureTests {
    private static let week: Int64 = 7 * 86_400_000

    private func request(_ fixture: AccountsFixture, _ account: String) async throws -> AccountsErasure {
        try await fixture.privacy(account).requestErasure(AccountsRequestErasureRequest())
    }

    private func erasure(_ fixture: AccountsFixture, _ id: String) async throws -> AccountsErasure {
        try await fixture.privacy().getErasure(.with { $0.erasureID = id })
    }

    /// The claims of a receipt.
    private func claims(_ receipt: String) throws -> String {
        let part = try #require(receipt.split(separator: ".").dropFirst().first)
        var text = part.replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let data = try #require(Data(base64Encoded: String(text)))
        return String(decoding: data, as: UTF8.self)
    }

    @Test func thereAreSevenDaysToTakeItBack() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let wish = try await request(fixture, account)
        #expect(wish.state == "cooling" && wish.erasesAt == fixture.host.now + Self.week && wish.receipt.isEmpty)
        #expect(try await request(fixture, account).id == wish.id)
        fixture.host.advance(milliseconds: UInt64(Self.week) - 1)
        #expect(try await fixture.host.runJobs().isEmpty)
        #expect(try await fixture.login().account.id == account)
        let back = try await fixture.privacy(account).cancelErasure(AccountsCancelErasureRequest())
        #expect(back.id == wish.id && back.state == "cancelled")
        let none = await fixture.failure {
            try await fixture.privacy(account).cancelErasure(AccountsCancelErasureRequest())
        }
        #expect(none?.reason == "accounts.no_erasure")
        fixture.host.advance(milliseconds: UInt64(Self.week))
        #expect(try await fixture.host.runJobs().map(\.state) == [.done])
        #expect(try await fixture.login().account.id == account)
        #expect(try await erasure(fixture, wish.id).state == "cancelled")
        #expect(fixture.personal.destroyed(account) == nil)
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func afterThemNothingIsLeftAndTheReceiptSaysSo() async throws {
        let fixture = try await AccountsFixture()
        fixture.serveProviders()
        let session = try await fixture.register()
        let account = session.account.id
        _ = try await fixture.link("phone", "+8613800000000", "123456", "for:+8613800000000", to: account)
        _ = await fixture.failure { try await fixture.login("li@example.org", "a wrong password") }
        let wish = try await request(fixture, account)
        fixture.host.advance(milliseconds: UInt64(Self.week))
        #expect(try await fixture.host.runJobs().map(\.state) == [.done])

        let erased = try await erasure(fixture, wish.id)
        #expect(erased.state == "erased" && erased.erasedAt == fixture.host.now)
        #expect(try fixture.part(0, of: erased.receipt)["typ"] == "erasure-receipt+jwt")
        let claims = try claims(erased.receipt)
        for text in [
            #""sub":"\#(account)""#, #""jti":"\#(wish.id)""#, #""identities":2"#, #""accounts":1"#,
            #""key_destroyed_at":\#(fixture.host.now / 1000)"#,
        ] { #expect(claims.contains(text), "\(text) in \(claims)") }

        for table in ["identities", "sessions", "tokens", "attempts", "factors", "keys"] {
            #expect(try await fixture.rows("/* tenants: all */ SELECT tenant FROM {\(table)}").isEmpty, "\(table)")
        }
        #expect(fixture.personal.destroyed(account) == fixture.host.now)
        #expect(await fixture.failure { try await fixture.login() }?.reason == "accounts.refused")
        #expect(await fixture.failure { try await fixture.refresh(session.refreshToken) }?.reason == "accounts.refused")
        let shown = await fixture.failure {
            try await fixture.client(principal: "usr_2").getUser(.with { $0.userID = account })
        }
        #expect(shown?.reason == "accounts.no_user")
        #expect(try await fixture.events("account.erased").map(\.aggregate) == [account])
        // The address is free for somebody new.
        #expect(try await fixture.register().account.id != account)
        #expect(try await fixture.phone().account.id != account)
        #expect(fixture.host.violations.isEmpty)
    }

    /// Whatever fails on the way, the next run goes on; each step done twice is done once.
    @Test(arguments: [
        "theatre.host.v1.PersonalData/Erase", "theatre.host.v1.PersonalKeys/Destroy", "theatre.host.v1.Keys/Sign",
        "accounts.phone/Remove",
    ])
    func whatIsCutOffGoesOn(_ step: String) async throws {
        let fixture = try await AccountsFixture()
        fixture.serveProviders()
        let account = try await fixture.register().account.id
        _ = try await fixture.link("phone", "+8613800000000", "123456", "for:+8613800000000", to: account)
        let wish = try await request(fixture, account)
        let stumbling = Stumbling()
        let down = PluginError(.failedPrecondition, "test.down", "Not now.")
        let personal = fixture.personal
        let host = fixture.host
        switch step {
        case "theatre.host.v1.PersonalData/Erase":
            host.serve(step) { (_: HostErasePersonalRequest, _) in
                if stumbling.isDown() { throw down }
                return HostErasePersonalResponse.with {
                    $0.parts = [
                        .with {
                            $0.instance = "inbox"; $0.erased = ["messages": 3]
                        }
                    ]
                }
            }
        case "theatre.host.v1.PersonalKeys/Destroy":
            host.serve(step) { (request: HostDestroyPersonalRequest, _) in
                if stumbling.isDown() { throw down }
                return HostDestroyPersonalResponse.with {
                    $0.destroyedAt = personal.destroy(request.person, at: host.now)
                }
            }
        case "theatre.host.v1.Keys/Sign":
            host.serve(step) { (request: HostSignRequest, _) in
                if stumbling.isDown() { throw down }
                return HostSignResponse.with { $0.signature = Data(repeating: 1, count: 64) }
            }
        default:
            host.fake("accounts.phone", "Remove") { (_: AuthRemoveRequest, _) -> AuthRemoveResponse in
                if stumbling.isDown() { throw down }
                return AuthRemoveResponse()
            }
        }
        host.advance(milliseconds: UInt64(Self.week))
        #expect(try await host.runJobs().map(\.state) == [.waiting])
        #expect(try await erasure(fixture, wish.id).state == "erasing")
        // It has begun: nobody signs in, and it cannot be taken back.
        #expect(await fixture.failure { try await fixture.login() }?.reason == "accounts.refused")
        let late = await fixture.failure {
            try await fixture.privacy(account).cancelErasure(AccountsCancelErasureRequest())
        }
        #expect(late?.reason == "accounts.erasing")
        host.advance(milliseconds: 120_000)
        #expect(try await host.runJobs().map(\.state) == [.done])
        #expect(try await erasure(fixture, wish.id).state == "erased")
        #expect(personal.destroyed(account) != nil)
    }

    @Test func accountsThatWereTakenOverGoToo() async throws {
        let fixture = try await AccountsFixture()
        let member = try await fixture.register().account.id
        let guest = try await fixture.guest().account.id
        _ = try await fixture.identities(guest).mergeAccounts(
            .with {
                $0.provider = "password"
                $0.identifier = "li@example.org"
                $0.secret = AccountsFixture.good
            })
        let wish = try await request(fixture, guest)
        fixture.host.advance(milliseconds: UInt64(Self.week))
        #expect(try await fixture.host.runJobs().map(\.state) == [.done])
        #expect(try await erasure(fixture, wish.id).state == "erased")
        #expect(fixture.personal.destroyed(member) != nil && fixture.personal.destroyed(guest) != nil)
        #expect(try await fixture.register().account.id != member)
    }

    @Test func whoIsToBeErasedIsNotTakenOverMeanwhile() async throws {
        let fixture = try await AccountsFixture()
        let member = try await fixture.register().account.id
        _ = try await request(fixture, member)
        let guest = try await fixture.guest().account.id
        let refused = await fixture.failure {
            try await fixture.identities(guest).mergeAccounts(
                .with {
                    $0.provider = "password"
                    $0.identifier = "li@example.org"
                    $0.secret = AccountsFixture.good
                })
        }
        #expect(refused?.reason == "accounts.erasing")
    }

    @Test func aKeyErasesNobodyAndAStrangerKnowsNothing() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let byKey = await fixture.failure {
            try await fixture.privacy(account, session: "key_1").requestErasure(AccountsRequestErasureRequest())
        }
        #expect(byKey?.reason == "accounts.by_key")
        #expect(await fixture.failure { try await erasure(fixture, "era_none") }?.reason == "accounts.no_erasure")
        let gone = await fixture.failure { try await request(fixture, "usr_nowhere") }
        #expect(gone?.reason == "accounts.not_found")
    }
}
