// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import Testing
import TheatrePlugin

@testable import Password

struct PasswordPolicyTests {
    @Test(arguments: [
        ("name@example.org", "name@example.org"), ("  Name@Example.ORG \n", "name@example.org"),
        ("张三@例子.中国", "张三@例子.中国"), ("a+b@c.de", "a+b@c.de"),
    ])
    func anAddressIsTrimmedAndLowered(_ raw: String, _ kept: String) {
        #expect(EmailAddress(raw)?.text == kept)
    }

    @Test(arguments: [
        "", " ", "name", "@example.org", "name@", "name@host", "a@b@c.de", "a b@c.de", "a@c..de", "a@-c.de", "a@c-.de",
        "a@c.de.", "<a@c.de>", "a@c.de\u{0}", "a\u{200B}@c.de", String(repeating: "a", count: 65) + "@c.de",
        "аbc@c.de", "a@с.de", "\u{212A}a@c.de", "e\u{301}@c.de", "é@c.de", "ａ@c.de", "a＠c.de", "a@c。de",
        "\u{202E}a@c.de",
        "\u{F900}@c.de", "ß@c.de", "a@" + String(repeating: "b", count: 64) + ".de",
        "a@" + String(repeating: "b.", count: 130) + "de",
    ])
    func whatIsNoAddressIsRefused(_ raw: String) {
        #expect(EmailAddress(raw) == nil)
    }

    @Test(arguments: [
        "short", "ninechars", String(repeating: "x", count: 129), "password123", "PassWord123", "qwertyuiop",
        "CorrectHorseBatteryStaple", "someone.long@example.org", "someone.long",
    ])
    func aWeakPasswordIsRefusedAtItsField(_ secret: String) throws {
        let identifier = try #require(EmailAddress("someone.long@example.org"))
        let error = #expect(throws: PluginError.self) { try PasswordPolicy.check(secret, for: identifier) }
        #expect(error?.code == .invalidArgument && error?.reason == "auth.weak_secret" && error?.detail == "/secret")
        #expect(error?.message.contains(secret) == false)
    }

    @Test(arguments: ["ten chars!", String(repeating: "字", count: 128), "三更将近州桥夜市还没有散"])
    func aGoodPasswordIsTaken(_ secret: String) throws {
        try PasswordPolicy.check(secret, for: #require(EmailAddress("someone@example.org")))
    }

    @Test func theListIsLongEnoughAndHasNoWordThatLengthRefuses() {
        #expect(BreachedPasswords.count >= 200)
        #expect(!BreachedPasswords.contains("password"))
    }
}
