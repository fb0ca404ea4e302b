// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
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
        var at: String
    }

    private struct Export: Encodable {
        var messages: [Message] = []
        /// Older ones, which are in the inbox alone.
        var truncated = false
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        var export = Export()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var (budget, cursor) = (ExportBudget(), PageCursor?.none)
        while !export.truncated {
            let page = try await InboxStore(call).page(of: request.person, after: cursor, limit: 100, unreadOnly: false)
            export.messages += try budget.fitting(
                page.items.map { message in
                    Message(
                        id: message.id, category: message.category, title: message.title, body: message.body,
                        at: Date(timeIntervalSince1970: Double(message.at) / 1000).ISO8601Format())
                }, by: encoder)
            export.truncated = budget.isTruncated
            guard !page.nextCursor.isEmpty else { break }
            cursor = try PageCursor(text: page.nextCursor, count: 1)
        }
        let json = String(decoding: try encoder.encode(export), as: UTF8.self)
        return .with { $0.json = json }
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        let erased = try await InboxStore(call).erase(request.person)
        return .with {
            $0.erased = ["messages": UInt64(erased)]
            $0.kept = ["events: title and data of each message, until they are removed with their segment"]
        }
    }
}
