// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// What is sent: `{"type", "timestamp", "data"}`, and the id that stays the same over attempts.
struct WebhookPayload: Sendable, Hashable {
    let id: String
    let body: Data

    /// The specification's bound, in bytes; a payload is shorter.
    static let longest = 20_000

    init(_ request: NotificationSendRequest, at now: Int64) throws {
        id = try Self.id(request.messageID)
        guard Self.isType(request.category) else { throw WebhookError.badCategory }
        var data: [String: JSONValue] = [
            "message_id": .string(request.messageID), "title": .string(request.title), "body": .string(request.body),
        ]
        if !request.user.isEmpty { data["user"] = .string(request.user) }
        if !request.data.isEmpty { data["data"] = try Self.object(request.data) }
        let members: [String: JSONValue] = [
            "type": .string(request.category), "timestamp": .string(Self.rfc3339(now)), "data": .object(data),
        ]
        body = try JSONValue.object(members).json()
        guard body.count < Self.longest else { throw WebhookError.tooLong(body.count) }
    }

    /// What is signed: `id.timestamp.body`.
    func signedContent(timestamp: Int64) -> Data { Data("\(id).\(timestamp).".utf8) + body }

    /// A header's value that has no dot: the id itself where it is short and of letters, digits, `_` and `-`; otherwise
    /// what stands for it, the same for the same id.
    private static func id(_ messageID: String) throws -> String {
        guard !messageID.isEmpty else { throw WebhookError.missing("/message_id") }
        let isPlain = messageID.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
                || $0 == 0x2D
        }
        guard !isPlain || messageID.utf8.count > 128 else { return messageID }
        return "msg_\(Hex.encode(Digest.sha256(messageID.utf8)))"
    }

    private static func isType(_ category: String) -> Bool {
        category.utf8.count <= 64
            && category.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
                !word.isEmpty && word.utf8.allSatisfy(isWordByte)
            }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }

    private static func object(_ text: String) throws -> JSONValue {
        do {
            let value = try JSONValue(json: Data(text.utf8))
            guard value.object != nil else { throw WebhookError.badData }
            return value
        } catch is ManifestError {
            throw WebhookError.badData
        }
    }

    /// UTC with milliseconds.
    private static func rfc3339(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(
            Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
