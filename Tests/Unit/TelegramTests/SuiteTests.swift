// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Telegram

/// What every channel does.
struct SuiteTests {
    @Test(arguments: NotificationSuite.cases) func theSuiteHolds(_ rule: SuiteCase<NotificationSubject>) async throws {
        let bot = try await EmulatedBot()
        let subject = NotificationSubject(
            client: bot.client, address: "42", now: { bot.host.now }, arrived: { bot.emulator.messages.count }
        ) { disturbance in
            // A bot that was throttled rests; what is disturbed next is another time.
            bot.host.advance(milliseconds: 60_000)
            switch disturbance {
            case .answerLost: bot.emulator.script(.cut(stored: true))
            case .unreachable: bot.emulator.script(.cut(stored: false))
            case .refused: bot.emulator.script(.refusal(403, "Forbidden: bot was blocked by the user"))
            case .throttled: bot.emulator.script(.tooManyRequests(retryAfter: 7))
            }
            return true
        }
        try await rule.run(subject)
    }
}
