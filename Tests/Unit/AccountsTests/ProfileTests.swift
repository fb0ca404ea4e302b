// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin

@testable import Accounts

struct ProfileTests {
    @Test func whatIsLeftOutStays() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account
        #expect(account.timeZone == "UTC" && account.bio.isEmpty)
        let client = fixture.client(principal: account.id)
        let changed = try await client.updateMe(
            .with {
                $0.bio = "走州桥\n看灯"
                $0.timeZone = "Asia/Shanghai"
            })
        #expect(changed.bio == "走州桥\n看灯" && changed.timeZone == "Asia/Shanghai")
        #expect(changed.nickname == account.nickname && changed.locale == account.locale)
        let emptied = try await client.updateMe(
            .with {
                $0.bio = ""
                $0.nickname = "灯下"
            })
        #expect(emptied.bio.isEmpty && emptied.nickname == "灯下" && emptied.timeZone == "Asia/Shanghai")
        #expect(try await client.me(AccountsMeRequest()) == emptied)
        #expect(try await fixture.events("account.changed").count == 2)
    }

    @Test(arguments: [
        ("nickname", "", "accounts.bad_nickname"), ("nickname", "a\nb", "accounts.bad_nickname"),
        ("bio", String(repeating: "字", count: 501), "accounts.bad_bio"), ("bio", "a\u{7}", "accounts.bad_bio"),
        ("locale", "en_GB", "accounts.bad_locale"), ("time_zone", "", "accounts.bad_time_zone"),
        ("time_zone", "../etc/passwd", "accounts.bad_time_zone"), ("time_zone", "Asia//X", "accounts.bad_time_zone"),
    ])
    func whatIsNoneIsRefusedAndChangesNothing(_ field: String, _ value: String, _ reason: String) async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account
        let client = fixture.client(principal: account.id)
        let error = await fixture.failure {
            try await client.updateMe(
                .with {
                    switch field {
                    case "nickname": $0.nickname = value
                    case "bio": $0.bio = value
                    case "locale": $0.locale = value
                    default: $0.timeZone = value
                    }
                })
        }
        #expect(error?.reason == reason && error?.detail == "/\(field)")
        #expect(try await client.me(AccountsMeRequest()) == account)
    }

    @Test func othersSeeNeitherAddressNorLocale() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account
        let client = fixture.client(principal: "usr_other")
        let user = try await client.getUser(.with { $0.userID = account.id })
        #expect(user.nickname == account.nickname && user.id == account.id)
        #expect(try !user.jsonString().contains("example.org"))
        let elsewhere = fixture.client(principal: "usr_other", tenant: "other")
        let error = await fixture.failure { try await elsewhere.getUser(.with { $0.userID = account.id }) }
        #expect(error?.reason == "accounts.no_user")
    }
}
