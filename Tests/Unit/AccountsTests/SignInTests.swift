// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct SignInTests {
    @Test func aRegisteredPersonIsSignedInAndCanSignInAgain() async throws {
        let fixture = try await AccountsFixture()
        let session = try await fixture.register(" Li.Qing@Example.org ")
        #expect(session.account.id.hasPrefix("usr_") && session.account.email == "li.qing@example.org")
        #expect(session.account.nickname == "li.qing" && session.account.locale == "en")
        #expect(session.tokenType == "Bearer" && session.expiresIn == 900 && session.refreshToken.utf8.count == 43)
        let again = try await fixture.login("LI.QING@example.org")
        #expect(again.account == session.account && again.refreshToken != session.refreshToken)
        let me = try await fixture.client(principal: session.account.id).me(AccountsMeRequest())
        #expect(me == session.account)
        #expect(try await fixture.events("account.registered").count == 1)
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func theAccessTokenSaysWhatTheGatewayReads() async throws {
        let fixture = try await AccountsFixture(#"{"issuer": "us", "audience": "them", "access_seconds": 60}"#)
        let session = try await fixture.register()
        let header = try fixture.part(0, of: session.accessToken)
        #expect(header == ["alg": "EdDSA", "kid": "new", "typ": "at+jwt"])
        let claims = try fixture.part(1, of: session.accessToken)
        #expect(claims["iss"] == "us" && claims["aud"] == "them" && claims["sub"] == session.account.id)
        #expect(claims["sid"]?.hasPrefix("ses_") == true && claims["jti"]?.hasPrefix("tok_") == true)
        #expect(claims["roles"] == "user" && claims["tenant"] == "default")
        let now = fixture.host.now / 1000
        #expect(claims["iat"] == "\(now)" && claims["exp"] == "\(now + 60)" && session.expiresIn == 60)
        let input = session.accessToken.split(separator: ".").dropLast().joined(separator: ".")
        let half = TestKeys.mac("session", "new", input.utf8)
        #expect(session.accessToken.hasSuffix("." + Base64URL.encode(half + half)))
    }

    @Test func anAddressHasOneAccountAndItsPasswordStays() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let error = await fixture.failure { try await fixture.register("LI@example.org", "another password") }
        #expect(error?.code == .alreadyExists && error?.reason == "accounts.exists")
        #expect(try await fixture.login().account == first.account)
        #expect(await fixture.failure { try await fixture.login("li@example.org", "another password") } != nil)
    }

    @Test func ofManyRegistrationsAtOnceOneWinsWithItsOwnPassword() async throws {
        let fixture = try await AccountsFixture()
        let winners = await withTaskGroup(of: String?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let password = "password of \(number)"
                    do {
                        _ = try await fixture.register("li@example.org", password)
                        return password
                    } catch {
                        return nil
                    }
                }
            }
            return await group.reduce(into: [String]()) { if let winner = $1 { $0.append(winner) } }
        }
        #expect(winners.count == 1)
        #expect(try await fixture.login("li@example.org", winners.first ?? "").account.email == "li@example.org")
    }

    @Test func aRegistrationThatWasCutOffIsTakenOver() async throws {
        let fixture = try await AccountsFixture()
        let cut = Cut()
        fixture.host.route("real", to: "password")
        fixture.host.fake("accounts.password", "Enroll") { (request: AuthEnrollRequest, call) in
            // The credential is stored, and then nothing is heard of it.
            let response = try await AuthProviderClient(call, feature: "real").enroll(request)
            guard cut.isOver else {
                throw PluginError(.deadlineExceeded, "test.cut", "Nothing came back.", effect: .unknown)
            }
            return response
        }
        #expect(await fixture.failure { try await fixture.register("li@example.org", "of the first try") } != nil)
        cut.end()
        let busy = await fixture.failure { try await fixture.register() }
        #expect(busy?.code == .aborted && busy?.reason == "accounts.in_progress")
        let orphan = await fixture.failure { try await fixture.login("li@example.org", "of the first try") }
        #expect(orphan?.reason == "accounts.refused")
        fixture.host.advance(milliseconds: 30_000)
        let session = try await fixture.register()
        #expect(try await fixture.login().account == session.account)
    }

    @Test func aWeakPasswordLeavesTheAddressFree() async throws {
        let fixture = try await AccountsFixture()
        let weak = await fixture.failure { try await fixture.register("li@example.org", "password123") }
        #expect(weak?.code == .invalidArgument && weak?.reason == "auth.weak_secret" && weak?.detail == "/password")
        _ = try await fixture.register()
    }

    @Test(arguments: ["", "li", "li@host", "@example.org", "a b@c.de"])
    func whatIsNoAddressIsRefused(_ email: String) async throws {
        let fixture = try await AccountsFixture()
        let error = await fixture.failure { try await fixture.register(email) }
        #expect(error?.code == .invalidArgument && error?.detail == "/email")
    }

    @Test func aWrongPasswordAndAnUnknownAddressFailAlike() async throws {
        let fixture = try await AccountsFixture()
        _ = try await fixture.register()
        let wrong = await fixture.failure { try await fixture.login("li@example.org", "not the password") }
        let unknown = await fixture.failure { try await fixture.login("wu@example.org", "not the password") }
        let nonsense = await fixture.failure { try await fixture.login("nonsense", "x") }
        #expect(wrong?.code == .unauthenticated && wrong?.reason == "accounts.refused")
        #expect(wrong == unknown && unknown == nonsense)
    }

    @Test(arguments: ["li@example.org", "unknown@example.org"])
    func afterTenFailuresTheAddressIsLockedForAWhile(_ email: String) async throws {
        let fixture = try await AccountsFixture()
        _ = try await fixture.register()
        for _ in 0..<10 {
            #expect(await fixture.failure { try await fixture.login(email, "wrong") }?.reason == "accounts.refused")
        }
        fixture.host.advance(milliseconds: 60_000)
        let locked = await fixture.failure { try await fixture.login(email) }
        #expect(locked?.code == .resourceExhausted && locked?.reason == "accounts.locked")
        #expect(locked?.retry == .after(milliseconds: 14 * 60_000))
        fixture.host.advance(milliseconds: 14 * 60_000)
        if email == "li@example.org" {
            _ = try await fixture.login(email)
        } else {
            #expect(await fixture.failure { try await fixture.login(email) }?.reason == "accounts.refused")
        }
    }

    @Test func aSignInForgetsFailuresAndABusyProviderCountsNone() async throws {
        let fixture = try await AccountsFixture()
        _ = try await fixture.register()
        for _ in 0..<9 { _ = await fixture.failure { try await fixture.login("li@example.org", "wrong") } }
        _ = try await fixture.login()
        #expect(try await fixture.rows("/* tenants: all */ SELECT * FROM {attempts}").isEmpty)
        fixture.host.fake("accounts.password", "Verify") { (_: AuthVerifyRequest, _) -> AuthVerifyResponse in
            throw PluginError(.resourceExhausted, "auth.busy", "Busy.", retry: .after(milliseconds: 1000))
        }
        for _ in 0..<12 { #expect(await fixture.failure { try await fixture.login() }?.reason == "auth.busy") }
        #expect(
            try await fixture.rows("/* tenants: all */ SELECT failures FROM {attempts}").map { try $0.int("failures") }
                == [0])
    }

    @Test func failuresAreCountedByWhatStandsForAnAddressAlsoAfterARotation() async throws {
        let fixture = try await AccountsFixture()
        for _ in 0..<9 { _ = await fixture.failure { try await fixture.login("li@example.org", "wrong") } }
        let stored = try await fixture.rows("/* tenants: all */ SELECT identifier FROM {attempts}")
        let identifier = try #require(try stored.first?.blob("identifier"))
        #expect(stored.count == 1 && String(decoding: identifier, as: UTF8.self).hasPrefix("mac:"))
        fixture.versions.rotate("index", to: "2")
        _ = await fixture.failure { try await fixture.login("li@example.org", "wrong") }
        let locked = await fixture.failure { try await fixture.login("li@example.org", "wrong") }
        #expect(locked?.reason == "accounts.locked")
    }

    @Test func failuresThatHaveLapsedAreClearedAway() async throws {
        let fixture = try await AccountsFixture()
        for index in 0..<5 {
            _ = await fixture.failure { try await fixture.login("li\(index)@example.org", "wrong") }
            fixture.host.advance(milliseconds: 180_000)
        }
        func count() async throws -> Int {
            try await fixture.rows("/* tenants: all */ SELECT * FROM {attempts}").count
        }
        // The first one's quarter of an hour is over.
        _ = await fixture.failure { try await fixture.login("li5@example.org", "wrong") }
        #expect(try await count() == 5)
        fixture.host.advance(milliseconds: 900_000)
        _ = await fixture.failure { try await fixture.login("li6@example.org", "wrong") }
        #expect(try await count() == 1)
    }

    @Test func tenantsHaveAccountsOfTheirOwn() async throws {
        let fixture = try await AccountsFixture()
        _ = try await fixture.register()
        let other = try await fixture.client(tenant: "other").register(
            .with {
                $0.email = "li@example.org"
                $0.password = AccountsFixture.good
            })
        #expect(try fixture.part(1, of: other.accessToken)["tenant"] == "other")
        let stranger = fixture.client(principal: other.account.id)
        #expect(await fixture.failure { try await stranger.me(AccountsMeRequest()) }?.code == .notFound)
    }

    @Test func theKeySetHasEveryVersion() async throws {
        let fixture = try await AccountsFixture()
        let response = try await HTTPHandlerClient(fixture.host.scope(), feature: "accounts").handle(
            .with {
                $0.method = "GET"
                $0.route = "/.well-known/jwks.json"
            })
        #expect(response.status == 200 && response.contentType == "application/jwk-set+json")
        #expect(response.headers.contains { $0.name == "cache-control" && $0.value == "public, max-age=300" })
        struct Document: Decodable {
            struct Key: Decodable { var kid: String }
            var keys: [Key]
        }
        let document = try JSONDecoder().decode(Document.self, from: response.body)
        #expect(document.keys.map(\.kid) == ["new", "old", "receipt-1"])
    }
}

/// Whether the connection still fails.
private final class Cut: Sendable {
    private let over = Atomic<Bool>(false)

    var isOver: Bool { over.load(ordering: .relaxed) }

    func end() { over.store(true, ordering: .relaxed) }
}
