// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// A message that may be stored: every bound was checked.
struct MessageDraft: Sendable, Hashable {
    let messageID: String
    let user: String
    let category: String
    let title: String
    let body: String
    /// A JSON object, or empty.
    let data: String
    let validUntil: Int64

    /// Longest body, in UTF-16 units; the manifest's `max_text`.
    static let longestBody = 4000

    init(_ request: NotificationSendRequest) throws {
        messageID = try Self.text(request.messageID, "/message_id", most: 128)
        user = try Self.text(request.user, "/user", most: 128)
        title = try Self.text(request.title, "/title", most: 200)
        category = request.category
        body = request.body
        data = request.data
        validUntil = request.validUntil
        guard !title.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw InboxError.severalLines
        }
        guard Self.isDotted(category) else { throw InboxError.badCategory }
        guard body.utf16.count <= Self.longestBody else {
            throw InboxError.tooLong("/body", Self.longestBody, "UTF-16 units")
        }
        guard data.utf8.count <= 4096 else { throw InboxError.tooLong("/data", 4096, "bytes") }
        guard data.isEmpty || Self.isObject(data) else { throw InboxError.badData }
    }

    /// Whether it is not worth delivering any more.
    func hasExpired(at now: Int64) -> Bool { validUntil != 0 && validUntil <= now }

    /// What subscribers of the person's channel get.
    func event(id: String) throws -> String {
        var members: [String: JSONValue] = [
            "id": .string(id), "category": .string(category), "title": .string(title),
        ]
        members["data"] = data.isEmpty ? .null : try JSONValue(json: Data(data.utf8))
        return String(decoding: try JSONValue.object(members).json(), as: UTF8.self)
    }

    private static func text(_ value: String, _ pointer: String, most: Int) throws -> String {
        guard !value.isEmpty else { throw InboxError.missing(pointer) }
        guard value.unicodeScalars.count <= most else { throw InboxError.tooLong(pointer, most, "characters") }
        return value
    }

    private static func isDotted(_ category: String) -> Bool {
        category.utf8.count <= 64
            && category.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
                !word.isEmpty
                    && word.utf8.allSatisfy {
                        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                    }
            }
    }

    private static func isObject(_ text: String) -> Bool {
        do { return try JSONValue(json: Data(text.utf8)).object != nil } catch { return false }
    }
}
