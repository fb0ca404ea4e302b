// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The messages of everybody, one row each.
struct InboxStore {
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "inbox.storage") }

    /// Rows read in one go: the longest message is under 20 kB and an answer of the database at most 1 MiB.
    private static let chunk = 40

    func migrate() async throws {
        try await database.migrate([
            Migration(
                "001-messages",
                """
                CREATE TABLE {messages} (
                    tenant TEXT NOT NULL,
                    user_id TEXT NOT NULL,
                    id TEXT NOT NULL,
                    message_id TEXT NOT NULL,
                    category TEXT NOT NULL,
                    title TEXT NOT NULL,
                    body TEXT NOT NULL,
                    data TEXT NOT NULL,
                    at BIGINT NOT NULL,
                    read_at BIGINT,
                    PRIMARY KEY (tenant, user_id, id),
                    UNIQUE (tenant, user_id, message_id)
                );
                CREATE INDEX {unread} ON {messages} (tenant, user_id, id) WHERE read_at IS NULL;
                """)
        ])
    }

    /// What was answered when the message came first, if it did.
    func delivery(of draft: MessageDraft) async throws -> NotificationDelivery? {
        let rows = try await database.read(Self.selectDelivery, draft.user, draft.messageID)
        return try rows.first.map(Self.delivery)
    }

    /// Stores a message, once for each message id, and lets go of the oldest beyond `keep`.
    func add(_ draft: MessageDraft, at now: Int64, keep: Int) async throws -> NotificationDelivery {
        let id = ULID.next(prefix: "msg", at: now)
        let event = try draft.event(id: id)
        return try await database.write { tx in
            let inserted = try await tx.run(
                """
                INSERT INTO {messages} (tenant, user_id, id, message_id, category, title, body, data, at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                ON CONFLICT (tenant, user_id, message_id) DO NOTHING
                """,
                draft.user, id, draft.messageID, draft.category, draft.title, draft.body, draft.data, now)
            guard inserted.changed == 1 else {
                let rows = try await tx.run(Self.selectDelivery, draft.user, draft.messageID)
                guard let row = rows.first else {
                    throw PluginError(
                        .aborted, "inbox.lost", "The message was there and is not any more; send it again.")
                }
                return try Self.delivery(row)
            }
            try await tx.run(
                """
                DELETE FROM {messages} WHERE tenant = :tenant AND user_id = ?1 AND id <=
                    (SELECT id FROM {messages} WHERE tenant = :tenant AND user_id = ?1
                     ORDER BY id DESC LIMIT 1 OFFSET ?2)
                """, draft.user, keep)
            tx.publish(type: "inbox.message", aggregate: draft.user, data: event, channel: "user:\(draft.user)")
            return .with {
                $0.providerReference = id
                $0.at = now
            }
        }
    }

    /// One page, newest first: ids grow with time.
    func page(
        of user: String, after: PageCursor?, limit: Int, unreadOnly: Bool
    ) async throws -> InboxMessages {
        var rows: [Row] = []
        // Above every id: ULIDs have no letter this high.
        var place = after?.values[0] ?? "~"
        while rows.count <= limit {
            let wanted = min(limit + 1 - rows.count, Self.chunk)
            let next = try await database.read(
                """
                SELECT id, category, title, body, data, at, read_at FROM {messages}
                WHERE tenant = :tenant AND user_id = ?1 AND id < ?2 AND (?3 = 0 OR read_at IS NULL)
                ORDER BY id DESC LIMIT ?4
                """, user, place, unreadOnly, wanted)
            rows += next
            guard next.count == wanted, let last = next.last else { break }
            place = try last.value("id")
        }
        var page = InboxMessages()
        page.items = try rows.prefix(limit).map(Self.message)
        if rows.count > limit { page.nextCursor = try PageCursor(rows[limit - 1], "id").text }
        page.unread = try await unread(of: user)
        return page
    }

    /// As many as one answer of the database has room for.
    func all(of user: String, by keyset: Keyset, after cursor: String) async throws -> Page {
        try await database.page(
            """
            SELECT id, category, title, body, data, at, read_at FROM {messages}
            WHERE tenant = :tenant AND user_id = ?1
            """, by: keyset, after: cursor, limit: Self.chunk, user)
    }

    /// How many wait.
    func unread(of user: String) async throws -> Int64 {
        try await database.read(Self.countUnread, user).first?.int("n") ?? 0
    }

    /// Marks a person's messages read, and answers the route with the same commit.
    func markRead(_ ids: [String], of user: String, at now: Int64) async throws -> InboxMarkReadResponse {
        // One text with all of them between commas; an id with a comma in it is none of ours.
        let list = "," + ids.filter { !$0.contains(",") && !$0.isEmpty }.joined(separator: ",") + ","
        return try await database.write { tx in
            let marked = try await tx.run(
                """
                UPDATE {messages} SET read_at = ?2
                WHERE tenant = :tenant AND user_id = ?1 AND read_at IS NULL AND length(replace(?3, ',' || id || ',', '')) < length(?3)
                """, user, now, list
            ).changed
            let unread = try await tx.run(Self.countUnread, user).first?.int("n") ?? 0
            let response = InboxMarkReadResponse.with {
                $0.marked = Int64(marked)
                $0.unread = unread
            }
            try tx.answer(response)
            return response
        }
    }

    /// Removes a person's messages; how many. The events that told of them stay in the log, until it is cut.
    func erase(_ user: String) async throws -> Int {
        try await database.write { tx in
            Int(try await tx.run("DELETE FROM {messages} WHERE tenant = :tenant AND user_id = ?1", user).changed)
        }
    }

    private static let selectDelivery =
        "SELECT id, at FROM {messages} WHERE tenant = :tenant AND user_id = ?1 AND message_id = ?2"
    private static let countUnread =
        "SELECT count(*) AS n FROM {messages} WHERE tenant = :tenant AND user_id = ?1 AND read_at IS NULL"

    private static func delivery(_ row: Row) throws -> NotificationDelivery {
        let (id, at) = (try row.text("id"), try row.int("at"))
        return .with {
            $0.providerReference = id
            $0.at = at
        }
    }

    private static func message(_ row: Row) throws -> InboxMessage {
        var message = InboxMessage()
        message.id = try row.text("id")
        message.category = try row.text("category")
        message.title = try row.text("title")
        message.body = try row.text("body")
        message.data = try row.text("data")
        message.read = try row.optionalInt("read_at") != nil
        message.at = try row.int("at")
        return message
    }
}
