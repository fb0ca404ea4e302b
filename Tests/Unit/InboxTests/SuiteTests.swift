// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Inbox
@testable import SQLite

/// What every channel does.
struct SuiteTests {
    @Test(arguments: NotificationSuite.cases) func theSuiteHolds(_ rule: SuiteCase<NotificationSubject>) async throws {
        let host = TestHost()
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("inbox.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        try await host.install(Inbox.self, manifest: .plugin("Messaging/Inbox"), instance: "inbox")
        host.route("notify", to: "inbox", capability: "theatre.notification.v1.Channel")
        host.route("inbox", to: "inbox", capability: "theatre.inbox.v1.Inbox")
        let reader = InboxClient(host.scope(principal: "usr_1"), feature: "inbox")
        let subject = NotificationSubject(
            client: NotificationChannelClient(host.scope(context: { $0.publishes = "inbox" }), feature: "notify"),
            address: "", now: { host.now },
            arrived: { try await reader.listMessages(InboxListMessagesRequest()).items.count })
        try await rule.run(subject)
    }
}
