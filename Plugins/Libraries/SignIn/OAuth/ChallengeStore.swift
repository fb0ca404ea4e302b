// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatrePlugin

/// Sign-ins under way, in the instance's table `challenges`: each ends once, rightly or not.
public struct ChallengeStore: Sendable {
    /// What was begun.
    public struct Begun: Sendable, Hashable {
        /// Where the authorization server returns to.
        public var redirectURI: String
        /// SHA-256 of what it hands back.
        public var state: [UInt8]

        /// What is kept of a sign-in.
        public init(redirectURI: String, state: String) {
            self.redirectURI = redirectURI
            self.state = Digest.sha256(state.utf8)
        }

        fileprivate init(redirectURI: String, digest: [UInt8]) {
            self.redirectURI = redirectURI
            state = digest
        }

        /// Whether a state that came back is that of the beginning.
        public func isAnswered(by state: String) -> Bool { Digest.equal(Digest.sha256(state.utf8), self.state) }
    }

    /// The table.
    public static let migrations = [
        Migration(
            "001-challenges",
            """
            CREATE TABLE {challenges} (
                tenant TEXT NOT NULL,
                digest BLOB NOT NULL,
                redirect_uri TEXT NOT NULL,
                state BLOB NOT NULL,
                expires_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, digest)
            );
            CREATE INDEX {challenges_by_expiry} ON {challenges} (tenant, expires_at);
            """)
    ]

    private let database: Database

    /// The challenges of the calling instance and tenant.
    public init(_ scope: some CallScope, feature: String) { database = Database(scope, feature: feature) }

    /// Brings the table up to date.
    public func migrate() async throws { try await database.migrate(Self.migrations) }

    /// Keeps what was begun, and forgets what has lapsed.
    public func begin(_ challenge: Challenge, _ begun: Begun, until expiry: Int64, at now: Int64) async throws {
        try await database.commit {
            $0.run("DELETE FROM {challenges} WHERE tenant = :tenant AND expires_at <= ?1", now)
            $0.run(
                """
                INSERT INTO {challenges} (tenant, digest, redirect_uri, state, expires_at)
                VALUES (:tenant, ?1, ?2, ?3, ?4)
                """, expect: 1, challenge.digest, begun.redirectURI, begun.state, expiry)
        }
    }

    /// What was begun, which is over with this; nil where it is unknown, lapsed, or was over already.
    public func end(_ challenge: Challenge, at now: Int64) async throws -> Begun? {
        let digest = challenge.digest
        return try await database.write { tx -> Begun? in
            let rows = try await tx.run(
                "SELECT redirect_uri, state, expires_at FROM {challenges} WHERE tenant = :tenant AND digest = ?1",
                digest)
            guard let row = rows.first else { return nil }
            try await tx.run(
                "DELETE FROM {challenges} WHERE tenant = :tenant AND digest = ?1", expect: 1, digest)
            guard try row.int("expires_at") > now else { return nil }
            return Begun(redirectURI: try row.text("redirect_uri"), digest: Array(try row.blob("state")))
        }
    }
}
