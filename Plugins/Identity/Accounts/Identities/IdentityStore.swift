// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Which identities lead to which account.
struct IdentityStore {
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    /// An address that an account gets, sealed.
    struct NewAddress: Sendable {
        let index: String
        let sealed: Data

        init(_ email: EmailAddress, of account: AccountsAccount, index: String, _ vault: PersonalVault) async throws {
            var account = account
            account.email = email.text
            self.index = index
            sealed = try await vault.seal(account).address
        }
    }

    func owner(of identity: ProvedIdentity) async throws -> String? {
        try await database.read(
            "SELECT account FROM {identities} WHERE tenant = :tenant AND provider = ?1 AND subject = ?2",
            identity.provider.rawValue, identity.subject
        ).first?.text("account")
    }

    /// The account of an identity; a new one where nobody has it. Of many at once all get the same.
    ///
    /// - Parameter index: of the account's address, or its id where it has none.
    func adopt(
        _ identity: ProvedIdentity, _ fresh: AccountsAccount, index: String, _ vault: PersonalVault
    ) async throws -> String {
        let sealed = try await vault.seal(fresh)
        return try await database.write { tx in
            if let known = try await Self.owner(of: identity, tx) { return known }
            let added = try await tx.run(
                """
                INSERT INTO {identities} (tenant, provider, subject, account, created_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4) ON CONFLICT (tenant, provider, subject) DO NOTHING
                """, identity.provider.rawValue, identity.subject, fresh.id, fresh.createdAt)
            guard added.changed == 1 else {
                guard let known = try await Self.owner(of: identity, tx) else { throw AccountsError.inProgress() }
                return known
            }
            let isTaken = try await !tx.run(
                "SELECT id FROM {accounts} WHERE tenant = :tenant AND email IN (?1, ?2)", index,
                fresh.email.isEmpty ? index : fresh.email
            ).isEmpty
            let address = isTaken || fresh.email.isEmpty ? nil : sealed.address
            try await tx.run(
                """
                INSERT INTO {accounts}
                    (tenant, id, email, nickname, locale, pending, created_at, sealed_address, sealed_profile)
                VALUES (:tenant, ?1, ?2, '', ?3, 0, ?4, ?5, ?6)
                """, expect: 1, fresh.id, address == nil ? fresh.id : index, fresh.locale, fresh.createdAt, address,
                sealed.profile)
            tx.publish(type: "account.registered", aggregate: fresh.id, data: #"{"account_id":"\#(fresh.id)"}"#)
            return fresh.id
        }
    }

    func identities(of account: String) async throws -> [AccountsIdentity] {
        try await database.read(Self.listing, account).map { try Self.shown($0) }
    }

    /// Adds an identity to an account, and answers.
    ///
    /// - Parameter address: reserved by the account `reservation`, which goes.
    func link(
        _ identity: ProvedIdentity, to account: String, at now: Int64, address: NewAddress? = nil,
        reservation: String = ""
    ) async throws -> AccountsIdentity {
        try await database.write { tx in
            try await Self.lock(account, tx)
            if let owner = try await Self.owner(of: identity, tx) {
                guard owner == account else { throw AccountsError.identityTaken() }
            } else {
                try await tx.run(
                    """
                    INSERT INTO {identities} (tenant, provider, subject, account, created_at)
                    VALUES (:tenant, ?1, ?2, ?3, ?4)
                    """, expect: 1, identity.provider.rawValue, identity.subject, account, now)
                tx.publish(
                    type: "account.linked", aggregate: account,
                    data: #"{"account_id":"\#(account)","provider":"\#(identity.provider.rawValue)"}"#)
            }
            if let address {
                try await tx.run(
                    "DELETE FROM {accounts} WHERE tenant = :tenant AND id = ?1 AND pending = 1", reservation)
                try await tx.run(
                    "UPDATE {accounts} SET email = ?2, sealed_address = ?3 WHERE tenant = :tenant AND id = ?1",
                    expect: 1, account, address.index, address.sealed)
            }
            let rows = try await tx.run(Self.listing, account)
            guard let linked = try rows.map({ try Self.shown($0) }).first(where: { $0.id == identity.id }) else {
                throw AccountsError.noIdentity()
            }
            try tx.answer(linked)
            return linked
        }
    }

    /// Takes an identity away, unless it is the only one, and answers. What was taken away.
    func unlink(_ id: String, from account: String, answer: some Message) async throws -> ProvedIdentity {
        try await database.write { tx in
            // Two at once, each the last but one, wait for each other here.
            try await Self.lock(account, tx)
            let rows = try await tx.run(Self.listing, account)
            let found = try rows.compactMap { try Self.identity($0) }
            guard let identity = found.first(where: { $0.id == id }) else { throw AccountsError.noIdentity() }
            guard rows.count > 1 else { throw AccountsError.lastIdentity() }
            try await tx.run(
                """
                DELETE FROM {identities} WHERE tenant = :tenant AND provider = ?1 AND subject = ?2 AND account = ?3
                """, expect: 1, identity.provider.rawValue, identity.subject, account)
            tx.publish(
                type: "account.unlinked", aggregate: account,
                data: #"{"account_id":"\#(account)","provider":"\#(identity.provider.rawValue)"}"#)
            try tx.answer(answer)
            return identity
        }
    }

    static let listing = """
        SELECT provider, subject, created_at FROM {identities} WHERE tenant = :tenant AND account = ?1
        ORDER BY created_at, provider, subject
        """

    /// Whoever changes what belongs to an account waits here for the others.
    nonisolated(nonsending) static func lock(_ account: String, _ tx: Transaction) async throws {
        let found = try await tx.run(
            """
            UPDATE {accounts} SET pending = pending
            WHERE tenant = :tenant AND id = ?1 AND pending = 0 AND merged_into IS NULL AND erased_at IS NULL
            """, account)
        guard found.changed == 1 else { throw AccountsError.noAccount() }
    }

    nonisolated(nonsending) static func owner(of identity: ProvedIdentity, _ tx: Transaction) async throws -> String? {
        try await tx.run(
            "SELECT account FROM {identities} WHERE tenant = :tenant AND provider = ?1 AND subject = ?2",
            identity.provider.rawValue, identity.subject
        ).first?.text("account")
    }

    static func identity(_ row: Row) throws -> ProvedIdentity? {
        guard let provider = IdentityProvider(rawValue: try row.text("provider")) else { return nil }
        return ProvedIdentity(provider, subject: try row.text("subject"))
    }

    static func shown(_ row: Row) throws -> AccountsIdentity {
        let (provider, identity) = (try row.text("provider"), try identity(row))
        let createdAt = try row.int("created_at")
        return .with {
            $0.id = identity?.id ?? ""
            $0.provider = provider
            $0.createdAt = createdAt
        }
    }
}
