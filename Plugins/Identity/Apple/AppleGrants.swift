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
    static let migrations = [
        Migration(
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
            """),
        // Empty where it is not known: of rows from before it was kept.
        Migration("003-key-version", "ALTER TABLE {grants} ADD COLUMN key_version TEXT NOT NULL DEFAULT '';"),
    ]

    private let call: Call
    private let database: Database

    init(_ call: Call) {
        self.call = call
        database = Database(call, feature: "apple.storage")
    }

    /// Keeps the token of a subject's last sign-in.
    func keep(_ token: String, of subject: String, client: String, at now: Int64) async throws {
        let (key, version) = try await key(subject, by: "")
        let box = try AES.GCM.seal(Data(token.utf8), using: key, authenticating: bound(subject, client))
        let sealed = Data(box.nonce) + box.ciphertext + box.tag
        try await database.commit {
            $0.run(
                """
                INSERT INTO {grants} (tenant, subject, client, sealed, key_version, updated_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (tenant, subject)
                DO UPDATE SET client = excluded.client, sealed = excluded.sealed, key_version = excluded.key_version,
                    updated_at = excluded.updated_at
                """, expect: 1, subject, client, sealed, version, now)
        }
    }

    /// The token of a subject and whose it is; nil where none is kept, or none can be opened any more: what was changed, or
    /// the version of whose key was removed, is lost for good.
    func token(of subject: String) async throws -> (token: String, client: String)? {
        let rows = try await database.read(
            "SELECT client, sealed, key_version FROM {grants} WHERE tenant = :tenant AND subject = ?1", subject)
        guard let row = rows.first else { return nil }
        let client = try row.text("client")
        do {
            let (key, _) = try await key(subject, by: try row.text("key_version"))
            let box = try AES.GCM.SealedBox(combined: row.blob("sealed"))
            let token = try AES.GCM.open(box, using: key, authenticating: bound(subject, client))
            return (String(decoding: token, as: UTF8.self), client)
        } catch CryptoKitError.authenticationFailure, CryptoKitError.incorrectParameterSize {
            call.host.log.warning("a grant does not open: it or its key was changed", ["apple.client": client])
            return nil
        } catch let error as PluginError where error.reason == "keys.no_version" {
            call.host.log.warning("a grant does not open: the version of its key was removed", ["apple.client": client])
            return nil
        }
    }

    /// Forgets a subject.
    func forget(_ subject: String) async throws {
        try await database.commit {
            $0.run("DELETE FROM {grants} WHERE tenant = :tenant AND subject = ?1", subject)
        }
    }

    /// - Parameter version: of the host's key; empty for the one that counts now.
    /// - Returns: the key of a subject, and the version that made it.
    private func key(_ subject: String, by version: String) async throws -> (SymmetricKey, version: String) {
        let made = try await HostKeysClient(call).mac(
            .with {
                $0.key = "tokens"
                $0.keyID = version
                $0.data = Data("grant\n\(call.tenant)\n\(subject)".utf8)
            })
        return (SymmetricKey(data: made.mac), made.keyID)
    }

    private func bound(_ subject: String, _ client: String) -> Data {
        Data("\(call.tenant)\n\(subject)\n\(client)".utf8)
    }
}
