// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts
import TheatreStorage

/// Reads that may be behind: of a replica that is not too far, else of the primary.
extension Engine {
    /// How far a server is behind its primary by its own clock, in milliseconds; NULL where it has replayed nothing yet.
    private static let lag = Step(
        """
        SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0 ELSE CAST(1000 * EXTRACT(EPOCH FROM
            clock_timestamp() - pg_last_xact_replay_timestamp()) AS BIGINT) END
        """)

    /// The rows of the last of `steps`, nil where no replica could give them well enough: the primary is asked then.
    func queryReplica(_ steps: [Step], behind most: UInt32, _ limit: Int) async -> SQLRows? {
        guard most > 0, let replicas else { return nil }
        let outcome: ExchangeOutcome
        do throws(PoolError) {
            outcome = try await replicas.run([Self.lag] + steps, milliseconds: limit == 0 ? 30_000 : limit + 500)
        } catch {
            noticedReplica(StorageError(error))
            return nil
        }
        // What the statement itself is at fault for, the primary says.
        if let failure = outcome.failure, failure.error.kind == .server, !outcome.isLost, outcome.ending == nil,
            failure.step > 0
        {
            let error = StorageError(failure.error, in: .host)
            if error.isPassing { noticedReplica(error) }
            return nil
        }
        noticedReplica(outcome.ending == .caller ? nil : outcome.error(in: .host, milliseconds: limit))
        guard outcome.isComplete, Self.isNear(outcome, most) else { return nil }
        return outcome.results.last
    }

    /// A connection to a replica that is near enough now, for several statements or a long one; nil: the primary is asked.
    func replicaLease(behind most: UInt32) async -> Lease? {
        guard most > 0, let replicas else { return nil }
        let lease: Lease
        do throws(PoolError) {
            lease = try await replicas.lease()
        } catch {
            noticedReplica(StorageError(error))
            return nil
        }
        let outcome = await lease.run([Self.lag], milliseconds: 1000)
        noticedReplica(outcome.ending == .caller ? nil : outcome.error(in: .host, milliseconds: 1000))
        guard outcome.isComplete, Self.isNear(outcome, most) else {
            lease.release()
            return nil
        }
        return lease
    }

    private static func isNear(_ outcome: ExchangeOutcome, _ most: UInt32) -> Bool {
        guard let behind = outcome.results.first?.rows.first?.values.first, behind.kind != nil else { return false }
        return behind.integer <= Int64(most)
    }

    /// Says once that replicas fail, and again only after one has answered in between.
    func noticedReplica(_ error: StorageError?) {
        guard let error else { return replicasFail.store(false, ordering: .relaxed) }
        guard error.code != .cancelled, !replicasFail.exchange(true, ordering: .relaxed) else { return }
        environment.warn(
            "a replica failed, the primary is asked", ["error.reason": error.reason, "error.message": error.message])
    }
}
