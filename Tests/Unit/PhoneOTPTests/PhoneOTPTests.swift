// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import EmulatedHost
import Emulators
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import AliyunSMS
@testable import PhoneOTP
@testable import TextMessages

struct PhoneOTPTests {
    @Test func aCodeGoesOutInThePersonsLanguageAndProvesTheNumber() async throws {
        let phone = try await EmulatedTelephone()
        let start = try await phone.start("138-0013-8000", locale: "zh-Hans-CN")
        let message = try #require(phone.sent.requests.first)
        #expect(message.address == "+8613800138000" && message.category == "auth.code" && message.title == "验证码")
        #expect(message.validUntil == phone.host.now + 300_000 && message.messageID.hasPrefix("code_"))
        let code = try #require(phone.sent.codes.first)
        #expect(message.body.contains(code) && code.count == 6)
        let answer = try await phone.client().verify(
            .with {
                $0.identifier = "0086 13800138000"
                $0.challenge = start.challenge
                $0.secret = code
            })
        #expect(answer.subject.hasPrefix("tel_"))
        #expect(answer.claims == ["phone": "+8613800138000", "phone_verified": "true"])
        #expect(phone.host.violations.isEmpty)
    }

    @Test func onlyAMACOfACodeIsStored() async throws {
        let phone = try await EmulatedTelephone()
        let start = try await phone.start("+8613800138000")
        let code = try #require(phone.sent.codes.first)
        let rows = try await Database(phone.probe, feature: "phoneotp.storage").read(
            "/* tenants: all */ SELECT challenge, mac FROM {codes}")
        let row = try #require(rows.first)
        #expect(rows.count == 1)
        let mac = Array(try row.blob("mac"))
        #expect(mac.count == 32 && mac != Digest.sha256(code.utf8))
        #expect(Hex.encode(try row.blob("challenge")) != start.challenge)
    }

    /// Who has an account, or a telephone, is not to be learned here.
    @Test func theAnswerIsTheSameWhereNobodyIsThere() async throws {
        let phone = try await EmulatedTelephone()
        phone.sent.fail(PluginError(.failedPrecondition, "notification.address_dead", "Gone."))
        let dead = try await phone.start("+8613800138001")
        let alive = try await phone.start("+8613800138002")
        #expect(dead.expiresIn == alive.expiresIn && dead.challenge.count == alive.challenge.count)
        #expect(phone.sent.requests.count == 1)
    }

    @Test(arguments: [
        ("notification.misconfigured", PluginError.Effect.none, "auth.misconfigured"),
        ("notification.rejected", .none, "auth.misconfigured"), ("notification.throttled", .none, "auth.throttled"),
        ("notification.missing", .none, "auth.misconfigured"), ("notification.too_long", .none, "auth.misconfigured"),
        ("notification.unreachable", .none, "auth.unreachable"), ("notification.unconfirmed", .unknown, ""),
    ])
    func whatTheChannelFailsWithIsSaid(
        _ reason: String, _ effect: PluginError.Effect, _ expected: String
    ) async throws {
        let phone = try await EmulatedTelephone()
        phone.sent.fail(PluginError(.unavailable, reason, "No.", effect: effect))
        // What may have arrived counts as sent.
        #expect(await phone.failure("+8613800138000")?.reason ?? "" == expected)
    }

    @Test func theWholeWayToATelephoneThroughAlibaba() async throws {
        let phone = try await EmulatedTelephone()
        let host = phone.host
        let emulator = AliyunSMSEmulator(
            accessKeyID: "LTAItest", secret: "a-secret-of-thirty-characters-", signName: "汴京剧场",
            templates: ["SMS_1": ["code", "minutes"]], now: { host.now })
        host.emulate(["https://dysmsapi.aliyuncs.com"]) { emulator.respond(to: $0) }
        host.emulateKeys(secrets: [
            "codes": Array("a key of the host's for codes...".utf8),
            "index": Array("a key of the host's for indices.".utf8),
            "access_key": Array("a-secret-of-thirty-characters-".utf8),
        ])
        try await host.install(
            AliyunSMS.self, manifest: .plugin("Messaging/AliyunSMS"), instance: "sms",
            configuration: """
                {"access_key_id": "LTAItest", "sign_name": "汴京剧场", "templates": [
                {"category": "auth.code", "template": "SMS_1", "parameters": ["code", "minutes"]}]}
                """)
        let channel = NotificationChannelClient(host.scope(), feature: "notify")
        host.route("notify", to: "sms")
        host.fake("phoneotp.channel", "Send") { (request: NotificationSendRequest, _) -> NotificationDelivery in
            try await channel.send(request)
        }
        let start = try await phone.start("13800138000")
        let message = try #require(emulator.messages.first)
        #expect(message.number == "13800138000")
        let answer = try await phone.client().verify(
            .with {
                $0.identifier = "+8613800138000"
                $0.challenge = start.challenge
                $0.secret = message.values["code"] ?? ""
            })
        #expect(answer.claims["phone"] == "+8613800138000")
    }

    @Test(arguments: [
        ("+86 138 0013 8000", "+8613800138000"), ("0086-13800138000", "+8613800138000"),
        ("13800138000", "+8613800138000"), ("+1 (415) 555-2671", "+14155552671"), ("+852 5123 4567", "+85251234567"),
    ])
    func numbersAreReadAsPeopleWriteThem(_ raw: String, _ text: String) {
        #expect(PhoneNumber(raw, country: "86")?.text == text)
    }

    @Test(arguments: [
        "", "+", "12345", "+8612800138000", "+861380013800", "+86138001380001", "１３８００１３８０００", "+0123456789",
        "138+00138000", "13800138000;", "+1 115 555 2671", "+" + String(repeating: "9", count: 16),
        "+86138\u{200B}00138000",
    ])
    func whatIsNoNumberIsRefused(_ raw: String) {
        #expect(PhoneNumber(raw, country: "86") == nil)
    }

    @Test func withoutACountryNumbersBeginWithTheirs() {
        #expect(PhoneNumber("13800138000") == nil)
        #expect(PhoneNumber("+8613800138000") != nil)
    }
}
