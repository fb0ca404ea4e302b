// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Inbox
@testable import SQLite

extension TestHost {
    /// A host with an inbox over the real database, and all that it provides.
    static func withInbox(_ configuration: String = "{}") async throws -> TestHost {
        let host = TestHost()
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("inbox.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        try await host.install(
            Inbox.self, manifest: .plugin("Messaging/Inbox"), instance: "inbox", configuration: configuration)
        host.route("notify", to: "inbox", capability: "theatre.notification.v1.Channel")
        host.route("inbox", to: "inbox", capability: "theatre.inbox.v1.Inbox")
        host.route("holder", to: "inbox", capability: "theatre.privacy.v1.Holder")
        host.route("log", to: "sqlite", capability: "theatre.events.v1.Log")
        return host
    }

    /// The inbox as a channel.
    var channel: NotificationChannelClient {
        NotificationChannelClient(scope(context: { $0.publishes = "inbox" }), feature: "notify")
    }
}
