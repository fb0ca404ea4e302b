// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Second factors, recovery codes and challenges in the database.
struct FactorStore {
    static let challengeMilliseconds: Int64 = 300_000
    static let tries: Int64 = 5
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    func factor(of account: String) async throws -> Factor? {
        try await database.read("SELECT * FROM {factors} WHERE tenant = :tenant AND account = ?1", account).first.map {
            Factor(
                account: account, seed: try $0.text("seed"), isOn: try $0.optionalInt("confirmed_at") != nil,
                counter: try $0.int("counter"), keyVersion: try $0.text("key_version"))
        }
    }

    /// Begins an enrolment, in place of one that was not confirmed.
    func enroll(_ factor: Factor, at now: Int64) async throws {
        try await database.write { tx in
            let stored = try await tx.run(
                """
                INSERT INTO {factors} (tenant, account, seed, counter, created_at, key_version)
                VALUES (:tenant, ?1, ?2, -1, ?3, ?4)
                ON CONFLICT (tenant, account) DO UPDATE SET seed = ?2, counter = -1, created_at = ?3, key_version = ?4
                    WHERE {factors}.confirmed_at IS NULL
                """, factor.account, factor.seed, now, factor.keyVersion)
            guard stored.changed == 1 else { throw AccountsError.factorOn() }
        }
    }

    /// Turns a factor on with its first code, and keeps the digests of its recovery codes.
    func confirm(
        _ factor: Factor, _ counter: Int64, recovery: [[UInt8]], forgetting attempts: [UInt8], at now: Int64
    ) async throws {
        try await database.write { tx in
            let stored = try await tx.run(
                """
                UPDATE {factors} SET confirmed_at = ?3, counter = ?4, key_version = ?5
                WHERE tenant = :tenant AND account = ?1 AND seed = ?2 AND confirmed_at IS NULL
                """, factor.account, factor.seed, now, counter, factor.keyVersion)
            guard stored.changed == 1 else { throw AccountsError.codeRefused() }
            try await tx.run("DELETE FROM {recovery} WHERE tenant = :tenant AND account = ?1", factor.account)
            for hash in recovery {
                try await tx.run(
                    "INSERT INTO {recovery} (tenant, account, hash) VALUES (:tenant, ?1, ?2)", expect: 1,
                    factor.account, hash)
            }
            try await tx.run("DELETE FROM {attempts} WHERE tenant = :tenant AND identifier = ?1", attempts)
            tx.publish(
                type: "account.factor_added", aggregate: factor.account,
                data: #"{"account_id":"\#(factor.account)"}"#)
        }
    }

    /// Turns a factor off, and answers.
    func remove(_ factor: Factor, by proof: FactorProof, forgetting attempts: [UInt8], answer: some Message)
        async throws
    {
        try await database.write { tx in
            try await Self.use(proof, of: factor, tx)
            for table in ["{factors}", "{recovery}", "{challenges}"] {
                try await tx.run("DELETE FROM \(table) WHERE tenant = :tenant AND account = ?1", factor.account)
            }
            try await tx.run("DELETE FROM {attempts} WHERE tenant = :tenant AND identifier = ?1", attempts)
            tx.publish(
                type: "account.factor_removed", aggregate: factor.account,
                data: #"{"account_id":"\#(factor.account)"}"#)
            try tx.answer(answer)
        }
    }

    /// Keeps the challenge of a sign-in whose first half was done.
    func challenge(_ hash: [UInt8], _ account: String, at now: Int64, forgetting attempts: [UInt8]) async throws {
        try await database.commit {
            $0.run(
                "DELETE FROM {challenges} WHERE tenant = :tenant AND account = ?1 AND expires_at <= ?2", account, now)
            $0.run(
                """
                INSERT INTO {challenges} (tenant, hash, account, tries, expires_at) VALUES (:tenant, ?1, ?2, 0, ?3)
                """, expect: 1, hash, account, now + Self.challengeMilliseconds)
            $0.run("DELETE FROM {attempts} WHERE tenant = :tenant AND identifier = ?1", attempts)
        }
    }

    /// Counts a try at a challenge; whose it is, or nil where it no longer counts.
    func attempt(_ hash: [UInt8], at now: Int64) async throws -> String? {
        try await database.write { tx in
            let counted = try await tx.run(
                """
                UPDATE {challenges} SET tries = tries + 1
                WHERE tenant = :tenant AND hash = ?1 AND tries < ?2 AND expires_at > ?3
                """, hash, Self.tries, now)
            guard counted.changed == 1 else { return nil }
            return try await tx.run("SELECT account FROM {challenges} WHERE tenant = :tenant AND hash = ?1", hash)
                .first?.text("account")
        }
    }

    /// Ends a challenge that was met. UNAUTHENTICATED where another has ended it.
    nonisolated(nonsending) static func meet(_ hash: [UInt8], _ tx: Transaction) async throws {
        let ended = try await tx.run("DELETE FROM {challenges} WHERE tenant = :tenant AND hash = ?1", hash)
        guard ended.changed == 1 else { throw AccountsError.codeRefused() }
    }

    /// Uses a code up. UNAUTHENTICATED where it was used before or is none.
    nonisolated(nonsending) static func use(_ proof: FactorProof, of factor: Factor, _ tx: Transaction) async throws {
        let used =
            switch proof {
            case .time(let counter):
                try await tx.run(
                    """
                    UPDATE {factors} SET counter = ?3, key_version = ?4
                    WHERE tenant = :tenant AND account = ?1 AND seed = ?2 AND counter < ?3 AND confirmed_at IS NOT NULL
                    """, factor.account, factor.seed, counter, factor.keyVersion)
            case .recovery(let hash):
                try await tx.run(
                    "DELETE FROM {recovery} WHERE tenant = :tenant AND account = ?1 AND hash = ?2", factor.account,
                    hash)
            }
        guard used.changed == 1 else { throw AccountsError.codeRefused() }
    }
}
