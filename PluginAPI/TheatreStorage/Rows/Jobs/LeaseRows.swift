// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts

/// Leases as rows. A row stays when its lease ends, so that fencing tokens grow for ever.
public enum LeaseRows {
    private static let columns = "name, holder, fencing_token, expires_at"

    private static func lease(_ row: SQLRow) -> LeaseLease {
        .with {
            $0.name = row.values[0].text
            $0.holder = row.values[1].text
            $0.fencingToken = row.values[2].integer
            $0.expiresAt = row.values[3].integer
        }
    }

    private static func check(_ name: String, _ holder: String, _ ttl: UInt32) throws(StorageError) {
        guard !name.isEmpty, name.utf8.count <= 128, !holder.isEmpty, holder.utf8.count <= 200,
            (100...3_600_000).contains(ttl)
        else {
            throw StorageError(
                .invalidArgument, "lease.bad_request",
                "A name of 1 to 128 characters, a holder and 100 to 3600000 ms are needed.")
        }
    }

    /// Takes a lease, or makes it longer where the holder has it; FAILED_PRECONDITION `lease.taken`.
    public static func acquire(
        _ request: LeaseAcquireRequest, of owner: String, at now: Int64, _ dialect: Dialect
    ) throws(StorageError) -> HostPlan<LeaseLease> {
        try check(request.name, request.holder, request.ttlMs)
        let clock = dialect.clock("?4")
        let take = HostStatement(
            """
            INSERT INTO host__leases (owner, name, holder, fencing_token, expires_at)
            VALUES (?1, ?2, ?3, 1, \(clock) + ?5)
            ON CONFLICT (owner, name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
                fencing_token = host__leases.fencing_token
                    + CASE WHEN host__leases.holder = excluded.holder AND host__leases.expires_at > \(clock)
                        THEN 0 ELSE 1 END
            WHERE host__leases.expires_at <= \(clock) OR host__leases.holder = excluded.holder
            """,
            [
                SQLValue(owner), SQLValue(request.name), SQLValue(request.holder), SQLValue(now),
                SQLValue(Int64(request.ttlMs)),
            ])
        let selection = HostStatement(
            """
            SELECT \(columns), expires_at - \(dialect.clock("?3")) FROM host__leases WHERE owner = ?1 AND name = ?2
            """, [SQLValue(owner), SQLValue(request.name), SQLValue(now)])
        return HostPlan([take, selection]) { (results: [SQLRows]) throws(StorageError) in
            guard let row = results[1].rows.first else {
                throw StorageError(.internal, "sql.engine", "A lease was taken and is not there.")
            }
            let lease = lease(row)
            guard results[0].changed == 1 else {
                throw StorageError(
                    .failedPrecondition, "lease.taken", "\(lease.holder) has the lease until \(lease.expiresAt).",
                    retry: .after(milliseconds: UInt64(clamping: max(1, row.values[4].integer))))
            }
            return lease
        }
    }

    /// Makes it longer; FAILED_PRECONDITION `lease.lost`.
    public static func renew(
        _ request: LeaseRenewRequest, of owner: String, at now: Int64, _ dialect: Dialect
    ) throws(StorageError) -> HostPlan<LeaseLease> {
        try check(request.name, request.holder, request.ttlMs)
        let clock = dialect.clock("?5")
        return HostPlan([
            HostStatement(
                """
                UPDATE host__leases SET expires_at = \(clock) + ?6
                WHERE owner = ?1 AND name = ?2 AND holder = ?3 AND fencing_token = ?4 AND expires_at > \(clock)
                RETURNING \(columns)
                """,
                [
                    SQLValue(owner), SQLValue(request.name), SQLValue(request.holder), SQLValue(request.fencingToken),
                    SQLValue(now), SQLValue(Int64(request.ttlMs)),
                ])
        ]) { (results: [SQLRows]) throws(StorageError) in
            guard let row = results[0].rows.first else {
                throw StorageError(
                    .failedPrecondition, "lease.lost", "The lease ran out or another has it; stop what it protects.")
            }
            return lease(row)
        }
    }

    /// Gives it back; without effect where it is lost.
    public static func release(_ request: LeaseReleaseRequest, of owner: String) -> HostPlan<Void> {
        HostPlan([
            HostStatement(
                """
                UPDATE host__leases SET holder = '', expires_at = 0
                WHERE owner = ?1 AND name = ?2 AND holder = ?3 AND fencing_token = ?4
                """,
                [
                    SQLValue(owner), SQLValue(request.name), SQLValue(request.holder), SQLValue(request.fencingToken),
                ])
        ])
    }

    /// Who has it; NOT_FOUND `lease.free`.
    public static func get(
        _ request: LeaseGetRequest, of owner: String, at now: Int64, _ dialect: Dialect
    ) -> HostPlan<LeaseLease> {
        HostPlan([
            HostStatement(
                """
                SELECT \(columns) FROM host__leases
                WHERE owner = ?1 AND name = ?2 AND expires_at > \(dialect.clock("?3"))
                """, [SQLValue(owner), SQLValue(request.name), SQLValue(now)])
        ]) { (results: [SQLRows]) throws(StorageError) in
            guard let row = results[0].rows.first else {
                throw StorageError(.notFound, "lease.free", "Nobody has the lease.")
            }
            return lease(row)
        }
    }
}
