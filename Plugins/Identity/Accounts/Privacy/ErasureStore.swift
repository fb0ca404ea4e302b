// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Wishes to be erased in the database. A row stays: it has the receipt.
struct ErasureStore {
    static let kind = "accounts.erase"
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    func erasure(_ id: String) async throws -> Erasure? {
        try await database.read("SELECT * FROM {erasures} WHERE tenant = :tenant AND id = ?1", id).first
            .flatMap { try Erasure($0) }
    }

    /// The wish of an account that is neither fulfilled nor taken back.
    func open(of account: String) async throws -> Erasure? {
        try await database.read(Self.openOf, account).first.flatMap { try Erasure($0) }
    }

    /// Keeps a wish with the job that fulfils it, unless there is one, and answers.
    func request(_ wish: Erasure) async throws -> AccountsErasure {
        try await database.write { tx in
            try await IdentityStore.lock(wish.account, tx)
            let answer: AccountsErasure
            if let open = try await tx.run(Self.openOf, wish.account).first.flatMap({ try Erasure($0) }) {
                answer = open.message
            } else {
                try await tx.run(
                    """
                    INSERT INTO {erasures} (tenant, id, account, state, requested_at, erases_at)
                    VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                    """, expect: 1, wish.id, wish.account, wish.state.rawValue, wish.requestedAt, wish.erasesAt)
                tx.enqueue(
                    JobsNewJob(
                        "privacy", kind: Self.kind, bytes: Array(wish.id.utf8), runAt: wish.erasesAt,
                        uniqueKey: wish.id))
                tx.publish(
                    type: "account.erasure_requested", aggregate: wish.account,
                    data: #"{"account_id":"\#(wish.account)"}"#)
                answer = wish.message
            }
            try tx.answer(answer)
            return answer
        }
    }

    /// Takes a wish back that has not begun to be fulfilled, and answers. Its job finds nothing to do.
    func cancel(of account: String) async throws -> AccountsErasure {
        try await database.write { tx in
            guard var open = try await tx.run(Self.openOf, account).first.flatMap({ try Erasure($0) }) else {
                throw AccountsError.noErasure()
            }
            let cancelled = try await tx.run(
                "UPDATE {erasures} SET state = 'cancelled' WHERE tenant = :tenant AND id = ?1 AND state = 'cooling'",
                open.id)
            guard cancelled.changed == 1 else { throw AccountsError.erasing() }
            open.state = .cancelled
            tx.publish(
                type: "account.erasure_cancelled", aggregate: account, data: #"{"account_id":"\#(account)"}"#)
            try tx.answer(open.message)
            return open.message
        }
    }

    /// Begins: from here on nobody signs in to the account, nor to those it took over. Their ids, its own first; nil
    /// where there is nothing to do.
    func begin(_ id: String, at now: Int64) async throws -> (Erasure, [String])? {
        try await database.write { tx in
            let rows = try await tx.run("SELECT * FROM {erasures} WHERE tenant = :tenant AND id = ?1", id)
            guard let erasure = try rows.first.flatMap({ try Erasure($0) }) else { return nil }
            guard erasure.state == .cooling || erasure.state == .erasing else { return nil }
            if erasure.state == .cooling {
                guard erasure.erasesAt <= now else { throw Self.early(erasure.erasesAt - now) }
                try await tx.run(
                    "UPDATE {erasures} SET state = 'erasing' WHERE tenant = :tenant AND id = ?1", expect: 1, id)
            }
            var people = [erasure.account]
            var index = 0
            while index < people.count {
                let merged = try await tx.run(
                    "SELECT id FROM {accounts} WHERE tenant = :tenant AND merged_into = ?1 ORDER BY id", people[index])
                for row in merged where try !people.contains(row.text("id")) { people.append(try row.text("id")) }
                index += 1
            }
            for person in people {
                try await tx.run(
                    "UPDATE {accounts} SET erased_at = ?2 WHERE tenant = :tenant AND id = ?1 AND erased_at IS NULL",
                    person, now)
                _ = try await SessionStore.endAll(of: person, at: now, cause: "erased", tx)
                _ = try await KeyStore.endAll(of: person, at: now, cause: "erased", tx)
            }
            return (erasure, people)
        }
    }

    /// Keeps what others erased: asked again, they would have less to tell.
    func keep(_ parts: String, of id: String) async throws {
        try await database.commit {
            $0.run(
                "UPDATE {erasures} SET parts = ?2 WHERE tenant = :tenant AND id = ?1 AND state = 'erasing'", expect: 1,
                id, parts)
        }
    }

    /// What the accounts have in the tables here.
    func count(of people: [String]) async throws -> [String: Int64] {
        var counts: [String: Int64] = ["accounts": Int64(people.count)]
        for person in people {
            for (name, table) in Self.counted {
                let sql = "SELECT count(*) AS number FROM \(table) WHERE tenant = :tenant AND account = ?1"
                counts[name, default: 0] += try await database.read(sql, person).first?.int("number") ?? 0
            }
        }
        return counts
    }

    /// Empties the accounts and ends the wish with its receipt.
    func finish(_ erasure: Erasure, _ people: [String], receipt: String, at now: Int64) async throws {
        try await database.write { tx in
            for person in people {
                try await tx.run(
                    """
                    DELETE FROM {tokens} WHERE tenant = :tenant AND session IN
                        (SELECT id FROM {sessions} WHERE tenant = :tenant AND account = ?1)
                    """, person)
                try await tx.run(
                    """
                    DELETE FROM {moved} WHERE tenant = :tenant AND merge IN
                        (SELECT id FROM {merges} WHERE tenant = :tenant AND (source = ?1 OR target = ?1))
                    """, person)
                for table in ["{identities}", "{sessions}", "{factors}", "{recovery}", "{challenges}", "{keys}"] {
                    try await tx.run("DELETE FROM \(table) WHERE tenant = :tenant AND account = ?1", person)
                }
                try await tx.run(
                    """
                    UPDATE {accounts} SET email = id, nickname = '', bio = '', locale = 'und', time_zone = 'UTC',
                        sealed_address = NULL, sealed_profile = NULL,
                        ban_reason = CASE WHEN ban_reason IS NULL THEN NULL ELSE '' END
                    WHERE tenant = :tenant AND id = ?1
                    """, expect: 1, person)
            }
            try await tx.run(
                """
                UPDATE {erasures} SET state = 'erased', erased_at = ?2, receipt = ?3
                WHERE tenant = :tenant AND id = ?1 AND state = 'erasing'
                """, expect: 1, erasure.id, now, receipt)
            for person in people {
                tx.publish(type: "account.erased", aggregate: person, data: #"{"account_id":"\#(person)"}"#)
            }
        }
    }

    static let openOf = """
        SELECT * FROM {erasures} WHERE tenant = :tenant AND account = ?1 AND state IN ('cooling', 'erasing')
        """

    /// By what the receipt calls them.
    private static let counted = [
        ("identities", "{identities}"), ("sessions", "{sessions}"), ("second_factors", "{factors}"),
        ("recovery_codes", "{recovery}"), ("keys", "{keys}"),
    ]

    private static func early(_ milliseconds: Int64) -> PluginError {
        var error = AccountsError.erasing()
        error.retry = .after(milliseconds: UInt64(max(1, milliseconds)))
        return error
    }
}
