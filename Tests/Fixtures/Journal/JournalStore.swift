// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// What was entered and what came of it.
struct JournalStore {
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "journal.storage") }

    /// Lines of a page.
    static let pageLength = 2000

    func migrate() async throws {
        try await database.migrate([
            Migration(
                "001-journal",
                """
                CREATE TABLE {entries} (
                    tenant TEXT NOT NULL, id TEXT NOT NULL, aggregate TEXT NOT NULL, number BIGINT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                CREATE TABLE {heads} (
                    tenant TEXT NOT NULL, aggregate TEXT NOT NULL, last BIGINT NOT NULL,
                    PRIMARY KEY (tenant, aggregate)
                );
                CREATE TABLE {deliveries} (
                    tenant TEXT NOT NULL, event_id TEXT NOT NULL, place BIGINT NOT NULL, id TEXT NOT NULL,
                    aggregate TEXT NOT NULL, number BIGINT NOT NULL, times BIGINT NOT NULL,
                    PRIMARY KEY (tenant, event_id)
                );
                CREATE UNIQUE INDEX {deliveries_by_place} ON {deliveries} (tenant, place);
                """)
        ])
    }

    /// Stores an entry, its event and its answer together.
    func enter(_ draft: Draft, answer: (Int64) -> HTTPResponse) async throws -> HTTPResponse {
        guard draft.number == 0 else {
            let response = answer(draft.number)
            try await database.commit { batch in
                batch.run(Self.insert, expect: 1, draft.id, draft.aggregate, draft.number)
                batch.publish(type: "journal.entered", aggregate: draft.aggregate, data: draft.event(draft.number))
                try batch.answer(response)
            }
            return response
        }
        return try await database.write { tx in
            let number = try await tx.run(Self.advance, draft.aggregate).first?.int("last") ?? 0
            try await tx.run(Self.insert, expect: 1, draft.id, draft.aggregate, number)
            tx.publish(type: "journal.entered", aggregate: draft.aggregate, data: draft.event(number))
            let response = answer(number)
            try tx.answer(response)
            return response
        }
    }

    private static let insert =
        "INSERT INTO {entries} (tenant, id, aggregate, number) VALUES (:tenant, ?1, ?2, ?3)"
    private static let advance = """
        INSERT INTO {heads} (tenant, aggregate, last) VALUES (:tenant, ?1, 1)
        ON CONFLICT (tenant, aggregate) DO UPDATE SET last = {heads}.last + 1 RETURNING last
        """

    /// Notes a delivery at the place it came, or that it came again.
    func deliver(_ event: EventsEvent) async throws {
        let told = try Draft(event)
        try await database.commit {
            $0.run(
                """
                INSERT INTO {deliveries} (tenant, event_id, place, id, aggregate, number, times)
                VALUES (:tenant, ?1, (SELECT coalesce(max(place), 0) + 1 FROM {deliveries} WHERE tenant = :tenant),
                    ?2, ?3, ?4, 1)
                ON CONFLICT (tenant, event_id) DO UPDATE SET times = {deliveries}.times + 1
                """, expect: 1, event.eventID, told.id, event.aggregate, told.number)
        }
    }

    /// The lines that come after a key, the key first in each.
    func page(of report: String, after: String) async throws -> String {
        let rows: Rows
        switch report {
        case "entries":
            rows = try await database.read(
                """
                SELECT id, aggregate, number FROM {entries} WHERE tenant = :tenant AND id > ?1 ORDER BY id LIMIT ?2
                """, after, Self.pageLength)
        case "deliveries":
            rows = try await database.read(
                """
                SELECT place, id, aggregate, number, times FROM {deliveries}
                WHERE tenant = :tenant AND place > ?1 ORDER BY place LIMIT ?2
                """, Int64(after) ?? 0, Self.pageLength)
        default: throw PluginError(.notFound, "journal.no_report", "There is no report of this name.")
        }
        return try rows.map(Self.line).joined()
    }

    private static func line(_ row: Row) throws -> String {
        try ["place", "id", "aggregate", "number", "times"].compactMap { name -> String? in
            guard row.columns.contains(name) else { return nil }
            return switch name {
            case "id", "aggregate": try row.text(name)
            default: String(try row.int(name))
            }
        }.joined(separator: " ") + "\n"
    }
}

extension Draft {
    /// What the event says.
    func event(_ number: Int64) -> String { "{\"id\": \"\(id)\", \"number\": \(number)}" }

    /// What an event said.
    init(_ event: EventsEvent) throws {
        struct Told: Decodable {
            let id: String
            let number: Int64
        }
        let told = try JSONDecoder().decode(Told.self, from: Data(event.data.utf8))
        (id, aggregate, number) = (told.id, event.aggregate, told.number)
    }
}
