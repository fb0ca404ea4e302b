// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What every channel does.
struct SuiteTests {
    @Test(arguments: NotificationSuite.cases) func theSuiteHolds(_ rule: SuiteCase<NotificationSubject>) async throws {
        let host = try await TestHost.withInbox()
        let reader = InboxClient(host.scope(principal: "usr_1"), feature: "inbox")
        let subject = NotificationSubject(
            client: host.channel,
            address: "", now: { host.now },
            arrived: { try await reader.listMessages(InboxListMessagesRequest()).items.count })
        try await rule.run(subject)
    }
}
