// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What the inbox holds of a person: his messages.
extension Inbox: PrivacyHolderContract {
    private struct Message: Encodable {
        var id: String
        var category: String
        var title: String
        var body: String
        /// A JSON object, as it came.
        var data: String
        var at: String
        var readAt: String?
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let store = InboxStore(call)
        let messages = ExportList("messages", by: Keyset(.descending("id"))) { keyset, cursor in
            try await store.all(of: request.person, by: keyset, after: cursor)
        } show: { row in
            Message(
                id: try row.text("id"), category: try row.text("category"), title: try row.text("title"),
                body: try row.text("body"), data: try row.text("data"), at: PersonalExport.time(try row.int("at")),
                readAt: try row.optionalInt("read_at").map(PersonalExport.time))
        }
        return try await PersonalExport(messages).answer(request)
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        let erased = try await InboxStore(call).erase(request.person)
        return .with {
            $0.erased = ["messages": UInt64(erased)]
            $0.kept = ["events: title and data of each message, until they are removed with their segment"]
        }
    }
}
