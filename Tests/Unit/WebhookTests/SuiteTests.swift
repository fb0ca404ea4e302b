// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Webhook

/// What every channel does.
struct SuiteTests {
    @Test(arguments: NotificationSuite.cases) func theSuiteHolds(_ rule: SuiteCase<NotificationSubject>) async throws {
        let receiver = try await EmulatedReceiver()
        let subject = NotificationSubject(
            client: receiver.client, address: "", now: { receiver.host.now },
            arrived: { receiver.emulator.deliveries.count }
        ) { disturbance in
            switch disturbance {
            case .answerLost: receiver.emulator.script(.cut(kept: true))
            case .unreachable: receiver.emulator.script(.cut(kept: false))
            case .refused: receiver.emulator.script(.status(410, []))
            case .throttled: receiver.emulator.script(.status(429, [("retry-after", "5")]))
            }
            return true
        }
        try await rule.run(subject)
    }
}
