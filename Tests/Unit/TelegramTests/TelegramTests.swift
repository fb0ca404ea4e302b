// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Telegram

/// The plugin against the emulated Bot API.
struct TelegramTests {
    @Test func messageArrivesWithABoldTitle() async throws {
        let bot = try await EmulatedBot()
        let delivery = try await bot.send(title: "Ready (1)", body: "_*[]()~`>#+-=|{}.!\\ ok")
        #expect(delivery.providerReference == "1" && delivery.at == bot.host.now)
        let message = try #require(bot.emulator.messages.first)
        #expect(message.chat == "42" && message.bold == ["Ready (1)"] && !message.isSilent)
        #expect(message.text == "Ready (1)\n\n_*[]()~`>#+-=|{}.!\\ ok")
        #expect(bot.host.violations.isEmpty)
    }

    @Test func escapingIsThatOfTheVector() {
        #expect(
            MessageText.escaped("_*[]()~`>#+-=|{}.!\\ ok")
                == ##"\_\*\[\]\(\)\~\`\>\#\+\-\=\|\{\}\.\!\\ ok"##)
    }

    @Test func theSameMessageIsSentOnce() async throws {
        let bot = try await EmulatedBot()
        let first = try await bot.send("m1")
        #expect(try await bot.send("m1") == first)
        _ = try await bot.send("m1", to: "-100")
        #expect(bot.emulator.messages.map(\.chat) == ["42", "-100"])
    }

    @Test(arguments: ["none", "MarkdownV2"])
    func longTextIsCutAtAScalar(mode: String) async throws {
        let bot = try await EmulatedBot(
            #"{"chat_id": "@stage", "parse_mode": "\#(mode)", "disable_notification": true}"#)
        _ = try await bot.send(title: "T.", body: String(repeating: "𠀀", count: 3000) + ".")
        let message = try #require(bot.emulator.messages.first)
        // Two units of title, two of gap, one of ellipsis: 4091 are left, of which a surrogate pair takes two.
        #expect(message.text.utf16.count == 4095 && message.text.hasSuffix("𠀀…"))
        #expect(message.isSilent && message.chat == "@stage")
    }

    @Test func textWithUnreadableMarksIsSentPlainOnce() async throws {
        let bot = try await EmulatedBot()
        let refusal = TelegramEmulator.Fault.refusal(
            400, "Bad Request: can't parse entities: Character '.' is reserved and must be escaped")
        bot.emulator.script(refusal)
        #expect(try await bot.send().providerReference == "1")
        #expect(bot.emulator.messages.first?.text == "Ready (1)\n\nScene 1. Done!")
        #expect(bot.emulator.messages.first?.bold == [])
        bot.emulator.script(refusal, refusal)
        #expect(await bot.failure("m2")?.reason == "notification.rejected")
        #expect(bot.emulator.requests == 4)
    }

    @Test func migratedGroupIsFollowedOnce() async throws {
        let bot = try await EmulatedBot()
        bot.emulator.script(.migrate(to: -1009))
        let delivery = try await bot.send(to: "-100")
        #expect(delivery.providerReference == "migrated:-1009:1")
        #expect(bot.emulator.messages.map(\.chat) == ["-1009"])
        bot.emulator.script(.migrate(to: -1009), .migrate(to: -100))
        #expect(await bot.failure("m2", to: "-100")?.reason == "notification.rejected")
    }

    @Test func tooManyRequestsHoldTheWholeBot() async throws {
        let bot = try await EmulatedBot()
        bot.emulator.script(.tooManyRequests(retryAfter: 7))
        let first = await bot.failure()
        #expect(first?.reason == "notification.throttled" && first?.retry == .after(milliseconds: 7000))
        bot.host.advance(milliseconds: 2000)
        let second = await bot.failure("m2", to: "-100")
        #expect(second?.retry == .after(milliseconds: 5000) && second?.effect == PluginError.Effect.none)
        #expect(bot.emulator.requests == 1)
        bot.host.advance(milliseconds: 5000)
        #expect(try await bot.send().providerReference == "1")
    }

    @Test(arguments: [
        (403, "Forbidden: bot was blocked by the user", "notification.address_dead"),
        (403, "Forbidden: user is deactivated", "notification.address_dead"),
        (403, "Forbidden: bot was kicked from the group chat", "notification.address_dead"),
        (403, "Forbidden: bot can't initiate conversation with a user", "notification.address_dead"),
        (400, "Bad Request: PEER_ID_INVALID", "notification.address_dead"),
        (400, "Bad Request: message is too long", "notification.rejected"),
        (409, "Conflict: terminated by other getUpdates request", "notification.misconfigured"),
    ])
    func refusalsAreClassed(_ code: Int, _ text: String, _ reason: String) async throws {
        let bot = try await EmulatedBot()
        bot.emulator.script(.refusal(code, text))
        let error = await bot.failure()
        #expect(error?.reason == reason && error?.code == .failedPrecondition && error?.retry == .never)
        #expect(error?.message.contains(text) == true)
        #expect(bot.emulator.requests == 1)
    }

    @Test func unknownChatIsDead() async throws {
        let bot = try await EmulatedBot()
        #expect(await bot.failure(to: "77")?.reason == "notification.address_dead")
    }

    @Test(arguments: ["7000001:wrong", "no token"])
    func wrongTokenIsAFaultOfTheConfiguration(token: String) async throws {
        let bot = try await EmulatedBot(given: token)
        let error = await bot.failure()
        #expect(error?.reason == "notification.misconfigured")
        #expect(error?.message.contains(token) == false)
        #expect(try await bot.client.check(NotificationCheckRequest()).ok == false)
    }

    @Test func whatMayHaveBeenSentIsNeverRepeated() async throws {
        let bot = try await EmulatedBot()
        bot.emulator.script(.brokenGateway(502, stored: true))
        let error = await bot.failure()
        #expect(error?.reason == "notification.unconfirmed" && error?.effect == .unknown && error?.retry == .never)
        bot.emulator.script(.cut(stored: true), .late(milliseconds: 20_000))
        #expect(await bot.failure("m2")?.effect == .unknown)
        #expect(await bot.failure("m3")?.effect == .unknown)
        #expect(bot.emulator.messages.count == 3 && bot.emulator.requests == 3)
    }

    @Test func aChatGetsThreeAtOnceAndThenOneASecond() async throws {
        let bot = try await EmulatedBot()
        for index in 1...3 { _ = try await bot.send("m\(index)") }
        let error = await bot.failure("m4")
        #expect(error?.reason == "notification.throttled" && error?.retry == .after(milliseconds: 1000))
        _ = try await bot.send("m5", to: "-100")
        bot.host.advance(milliseconds: 1000)
        _ = try await bot.send("m4")
        #expect(bot.emulator.messages.count == 5)
    }

    @Test func messagesWithoutAPlaceOrATextAreRefused() async throws {
        let bot = try await EmulatedBot("{}")
        #expect(await bot.failure()?.reason == "notification.bad_address")
        #expect(await bot.failure(to: "everyone")?.reason == "notification.bad_address")
        let empty = await #expect(throws: PluginError.self) { try await bot.send(to: "42", title: "", body: " \n") }
        #expect(empty?.reason == "notification.missing")
        let late = await #expect(throws: PluginError.self) { try await bot.send(to: "42", validUntil: bot.host.now) }
        #expect(late?.reason == "notification.expired")
        #expect(bot.emulator.requests == 0)
    }

    @Test func anotherHostIsRefusedByTheGrant() async throws {
        let bot = try await EmulatedBot(#"{"chat_id": "42", "base_url": "https://bots.example"}"#)
        let error = await bot.failure()
        #expect(error?.reason == "notification.misconfigured" && error?.effect == PluginError.Effect.none)
    }

    @Test func checkNamesTheBot() async throws {
        let bot = try await EmulatedBot()
        let answer = try await bot.client.check(NotificationCheckRequest())
        #expect(answer.ok && answer.message == "@theatre_bot")
        #expect(bot.emulator.messages.isEmpty)
    }
}
