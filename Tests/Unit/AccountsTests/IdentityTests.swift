// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct IdentityTests {
    private func fixture() async throws -> AccountsFixture {
        let fixture = try await AccountsFixture()
        fixture.serveProviders()
        return fixture
    }

    @Test func whoProvesANewIdentityGetsAnAccountAndFindsItAgain() async throws {
        let fixture = try await fixture()
        let first = try await fixture.phone()
        #expect(first.account.id.hasPrefix("usr_") && first.account.email.isEmpty && !first.accessToken.isEmpty)
        #expect(try await fixture.phone().account == first.account)
        #expect(try await fixture.phone("+8613800000001").account.id != first.account.id)
        #expect(try await fixture.events("account.registered").count == 2)
        #expect(fixture.host.violations.isEmpty)
    }

    /// What providers count codes by: nobody but the host says where a request came from.
    @Test func aProviderOfCodesSeesTheNetworkOfTheRequest() async throws {
        let fixture = try await fixture()
        fixture.host.fake("accounts.phone", "Start") { (_: AuthStartRequest, call) -> AuthStartResponse in
            .with { $0.challenge = call.context.network }
        }
        let scope = fixture.host.scope {
            $0.route = "POST /api/v1/auth"
            $0.network = "203.0.113.0/24"
        }
        let sent = try await AccountsIdentitiesClient(scope, feature: "accounts").sendCode(
            .with {
                $0.channel = "phone"
                $0.identifier = "+8613800000000"
            })
        #expect(sent.challenge == "203.0.113.0/24")
    }

    @Test func aWrongCodeIsRefusedAndMakesNothing() async throws {
        let fixture = try await fixture()
        let error = await fixture.failure {
            try await fixture.identities().verifyCode(
                .with {
                    $0.channel = "phone"
                    $0.identifier = "+8613800000000"
                    $0.code = "000000"
                    $0.challenge = "for:+8613800000000"
                })
        }
        #expect(error?.code == .unauthenticated && error?.reason == "accounts.refused")
        #expect(try await fixture.rows("/* tenants: all */ SELECT * FROM {accounts}").isEmpty)
    }

    @Test func ofManyFirstSignInsAtOnceAllFindOneAccount() async throws {
        let fixture = try await fixture()
        let accounts = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try await fixture.phone().account.id } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(accounts.count == 1)
        #expect(try await fixture.rows("/* tenants: all */ SELECT * FROM {accounts}").count == 1)
    }

    @Test func anotherProviderSendsThePersonBackWithACode() async throws {
        let fixture = try await fixture()
        let started = try await fixture.identities().startOAuth(
            .with {
                $0.provider = "wechat"
                $0.redirectUri = "https://us.example/back"
                $0.state = "s1"
            })
        #expect(started.authorizeURL == "https://elsewhere.example/?to=https://us.example/back&state=s1")
        let session = try await fixture.identities().finishOAuth(
            .with {
                $0.provider = "wechat"
                $0.code = "code-o1"
                $0.challenge = started.challenge
            })
        #expect(try await fixture.ways(into: session.account.id) == ["wechat"])
        let unknown = await fixture.failure {
            try await fixture.identities().startOAuth(.with { $0.provider = "password" })
        }
        #expect(unknown?.code == .notFound && unknown?.reason == "accounts.no_provider")
    }

    @Test func aGuestBecomesAMemberAndKeepsHisId() async throws {
        let fixture = try await fixture()
        let guest = try await fixture.guest()
        #expect(try await fixture.guest().account.id == guest.account.id)
        let id = guest.account.id
        _ = try await fixture.link("password", "Li@Example.org", AccountsFixture.good, to: id)
        let member = try await fixture.login()
        #expect(member.account.id == id && member.account.email == "li@example.org")
        #expect(try await fixture.ways(into: id) == ["device", "password"])
        #expect(await fixture.failure { try await fixture.register() }?.reason == "accounts.exists")
        #expect(try await fixture.events("account.linked").map(\.aggregate) == [id])
        let stored = try await fixture.rows("/* tenants: all */ SELECT subject FROM {identities}")
        #expect(try !stored.contains { try $0.text("subject").contains(AccountsFixture.device) })
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func anAddressOfAnotherCannotBeLinkedAndAWeakPasswordHoldsNone() async throws {
        let fixture = try await fixture()
        _ = try await fixture.register()
        let guest = try await fixture.guest().account.id
        let taken = await fixture.failure {
            try await fixture.link("password", "li@example.org", "another password", to: guest)
        }
        #expect(taken?.reason == "accounts.exists")
        let weak = await fixture.failure {
            try await fixture.link("password", "wu@example.org", "password123", to: guest)
        }
        #expect(weak?.reason == "auth.weak_secret" && weak?.detail == "/secret")
        _ = try await fixture.register("wu@example.org")
        _ = try await fixture.login()
    }

    @Test func anIdentityLeadsToOneAccountOnly() async throws {
        let fixture = try await fixture()
        let owner = try await fixture.phone().account.id
        let guest = try await fixture.guest().account.id
        let number = "+8613800000000"
        let taken = await fixture.failure {
            try await fixture.link("phone", number, "123456", "for:\(number)", to: guest)
        }
        #expect(taken?.code == .alreadyExists && taken?.reason == "accounts.identity_taken")
        // One's own again changes nothing.
        _ = try await fixture.link("phone", number, "123456", "for:\(number)", to: owner)
        #expect(try await fixture.ways(into: owner) == ["phone"])
    }

    @Test func theLastIdentityStaysAlsoWhenTwoGoAtOnce() async throws {
        let fixture = try await fixture()
        let id = try await fixture.guest().account.id
        let number = "+8613800000000"
        _ = try await fixture.link("phone", number, "123456", "for:\(number)", to: id)
        let items = try await fixture.identities(id).listIdentities(AccountsListIdentitiesRequest()).items
        let reasons = await withTaskGroup(of: String.self) { group in
            for item in items {
                group.addTask {
                    do {
                        _ = try await fixture.identities(id).unlinkIdentity(.with { $0.identityID = item.id })
                        return ""
                    } catch {
                        return (error as? PluginError)?.reason ?? "?"
                    }
                }
            }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(reasons.sorted() == ["", "accounts.last_identity"])
        #expect(try await fixture.ways(into: id).count == 1)
        let unknown = await fixture.failure {
            try await fixture.identities(id).unlinkIdentity(.with { $0.identityID = "idn_nowhere" })
        }
        #expect(unknown?.reason == "accounts.no_identity")
    }
}
