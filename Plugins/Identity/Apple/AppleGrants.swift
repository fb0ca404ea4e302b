// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import SignIn
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Refresh tokens, kept for one thing: to be revoked. Sealed with a key that the host makes and that is not stored.
struct AppleGrants {
    static let migration = Migration(
        "002-grants",
        """
        CREATE TABLE {grants} (
            tenant TEXT NOT NULL,
            subject TEXT NOT NULL,
            client TEXT NOT NULL,
            sealed BLOB NOT NULL,
            updated_at BIGINT NOT NULL,
            PRIMARY KEY (tenant, subject)
        );
        """)

    private let call: Call
    private let database: Database

    init(_ call: Call) {
        self.call = call
        database = Database(call, feature: "apple.storage")
    }

    /// Keeps the token of a subject's last sign-in.
    func keep(_ token: String, of subject: String, client: String, at now: Int64) async throws {
        let sealed = try AES.GCM.seal(
            Data(token.utf8), using: try await key(subject), authenticating: bound(subject, client))
        guard let bytes = sealed.combined else { return }
        try await database.commit {
            $0.run(
                """
                INSERT INTO {grants} (tenant, subject, client, sealed, updated_at) VALUES (:tenant, ?1, ?2, ?3, ?4)
                ON CONFLICT (tenant, subject)
                DO UPDATE SET client = excluded.client, sealed = excluded.sealed, updated_at = excluded.updated_at
                """, expect: 1, subject, client, bytes, now)
        }
    }

    /// The token of a subject and whose it is; nil where none is kept, or none can be opened any more.
    func token(of subject: String) async throws -> (token: String, client: String)? {
        let rows = try await database.read(
            "SELECT client, sealed FROM {grants} WHERE tenant = :tenant AND subject = ?1", subject)
        guard let row = rows.first else { return nil }
        let client = try row.text("client")
        do {
            let box = try AES.GCM.SealedBox(combined: row.blob("sealed"))
            let token = try AES.GCM.open(box, using: try await key(subject), authenticating: bound(subject, client))
            return (String(decoding: token, as: UTF8.self), client)
        } catch is CryptoKitError {
            call.host.log.warning("a grant cannot be opened: its key has changed", ["apple.client": client])
            return nil
        }
    }

    /// Forgets a subject.
    func forget(_ subject: String) async throws {
        try await database.commit {
            $0.run("DELETE FROM {grants} WHERE tenant = :tenant AND subject = ?1", subject)
        }
    }

    private func key(_ subject: String) async throws -> SymmetricKey {
        let mac = try await HostKeysClient(call).mac(
            .with {
                $0.key = "tokens"
                $0.data = Data("grant\n\(call.tenant)\n\(subject)".utf8)
            }
        ).mac
        return SymmetricKey(data: mac)
    }

    private func bound(_ subject: String, _ client: String) -> Data {
        Data("\(call.tenant)\n\(subject)\n\(client)".utf8)
    }
}
