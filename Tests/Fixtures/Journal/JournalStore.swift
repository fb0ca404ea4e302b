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
                CREATE UNIQUE INDEX {deliveries_by_place} ON {deliveries} (tenant, aggregate, place);
                CREATE TABLE {runs} (
                    tenant TEXT NOT NULL, job_id TEXT NOT NULL, token BIGINT NOT NULL, id TEXT NOT NULL,
                    process BIGINT NOT NULL, ended BIGINT NOT NULL,
                    PRIMARY KEY (tenant, job_id, token)
                );
                CREATE INDEX {runs_by_entry} ON {runs} (tenant, id, ended);
                CREATE TABLE {faults} (
                    tenant TEXT NOT NULL, id TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (tenant, id)
                );
                """)
        ])
    }

    /// Stores an entry, its event, its job and its answer together.
    func enter(_ draft: Draft, answer: (Int64) -> HTTPResponse) async throws -> HTTPResponse {
        guard draft.number == 0 else {
            let response = answer(draft.number)
            try await database.commit { batch in
                batch.run(Self.insert, expect: 1, draft.id, draft.aggregate, draft.number)
                batch.publish(type: "journal.entered", aggregate: draft.aggregate, data: draft.event(draft.number))
                batch.enqueue(draft.job)
                try batch.answer(response)
            }
            return response
        }
        return try await database.write { tx in
            let number = try await tx.run(Self.advance, draft.aggregate).first?.int("last") ?? 0
            try await tx.run(Self.insert, expect: 1, draft.id, draft.aggregate, number)
            tx.publish(type: "journal.entered", aggregate: draft.aggregate, data: draft.event(number))
            tx.enqueue(draft.job)
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

    /// Notes a delivery at its place among those of its aggregate, or that it came again.
    func deliver(_ event: EventsEvent) async throws {
        let told = try Draft(event)
        try await database.commit {
            $0.run(
                """
                INSERT INTO {deliveries} (tenant, event_id, place, id, aggregate, number, times)
                VALUES (:tenant, ?1, (SELECT coalesce(max(place), 0) + 1 FROM {deliveries}
                    WHERE tenant = :tenant AND aggregate = ?3), ?2, ?3, ?4, 1)
                ON CONFLICT (tenant, event_id) DO UPDATE SET times = {deliveries}.times + 1
                """, expect: 1, event.eventID, told.id, event.aggregate, told.number)
        }
    }

    /// Notes that a run begins, and a fault where its token is not above those before.
    func begin(_ job: JobsJob) async throws {
        let own = Int(ProcessInfo.processInfo.processIdentifier)
        try await database.write { tx in
            for run in try await tx.run(Self.selectRuns, job.jobID) {
                let token = try run.int("token")
                guard token >= job.fencingToken else { continue }
                try await tx.note(fault: "\(job.jobID) has token \(job.fencingToken) after \(token)")
            }
            try await tx.run(
                """
                INSERT INTO {runs} (tenant, job_id, token, id, process, ended) VALUES (:tenant, ?1, ?2, ?3, ?4, 0)
                """, expect: 1, job.jobID, job.fencingToken, String(decoding: job.payload, as: UTF8.self), own)
        }
    }

    private static let selectRuns = "SELECT token FROM {runs} WHERE tenant = :tenant AND job_id = ?1"

    /// Notes that a run has done its work.
    func end(_ job: JobsJob) async throws {
        try await database.commit {
            $0.run(
                "UPDATE {runs} SET ended = 1 WHERE tenant = :tenant AND job_id = ?1 AND token = ?2", expect: 1,
                job.jobID, job.fencingToken)
        }
    }

    /// Notes what must not happen.
    func note(fault: String) async throws { try await database.write { try await $0.note(fault: fault) } }

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
                SELECT event_id, id, aggregate, number, place FROM {deliveries}
                WHERE tenant = :tenant AND event_id > ?1 ORDER BY event_id LIMIT ?2
                """, after, Self.pageLength)
        case "runs":
            rows = try await database.read(
                """
                SELECT DISTINCT id FROM {runs} WHERE tenant = :tenant AND ended = 1 AND id > ?1 ORDER BY id LIMIT ?2
                """, after, Self.pageLength)
        case "orphans": rows = try await database.read(Self.selectOrphans, Int(after) ?? 0, Self.pageLength)
        case "counts": rows = try await database.read(Self.counts)
        case "faults": rows = try await database.read("SELECT what FROM {faults} WHERE tenant = :tenant LIMIT 20")
        default: throw PluginError(.notFound, "journal.no_report", "There is no report of this name.")
        }
        return try rows.map(Self.line).joined()
    }

    /// Jobs that a process began and neither ended nor another run has taken up since.
    private static let selectOrphans = """
        SELECT job_id, token FROM {runs} WHERE tenant = :tenant AND process = ?1 AND ended = 0 AND NOT EXISTS (
            SELECT 1 FROM {runs} AS later WHERE later.tenant = :tenant AND later.job_id = {runs}.job_id
                AND later.token > {runs}.token)
        ORDER BY job_id LIMIT ?2
        """
    private static let counts = """
        SELECT (SELECT count(*) FROM {entries} WHERE tenant = :tenant) AS entries,
            (SELECT count(*) FROM {deliveries} WHERE tenant = :tenant) AS deliveries,
            (SELECT count(*) FROM (SELECT DISTINCT id FROM {runs} WHERE tenant = :tenant AND ended = 1) AS done) AS runs
        """

    private static func line(_ row: Row) throws -> String {
        try row.columns.map { name in
            switch try row.value(name).kind {
            case .text(let text): text
            case .integer(let number): String(number)
            case let other: "\(String(describing: other))"
            }
        }.joined(separator: " ") + "\n"
    }
}

extension Transaction {
    fileprivate nonisolated(nonsending) func note(fault: String) async throws {
        try await run(
            "INSERT INTO {faults} (tenant, id, what) VALUES (:tenant, ?1, ?2)",
            UUID().uuidString, fault)
    }
}

extension Draft {
    /// What is to be done for it.
    var job: JobsNewJob { JobsNewJob("entered", kind: "journal.entered", bytes: Array(id.utf8)) }

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
