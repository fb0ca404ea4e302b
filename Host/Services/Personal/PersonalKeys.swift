// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// The keys of persons: one for each, from the database, unwrapped by the key source, the last few kept in memory.
///
/// A key that was destroyed on another host is used here for ``freshness`` at the longest, and by the host that destroyed
/// it not at all.
public final class PersonalKeys: Sendable {
    /// How long a look at the database holds, in nanoseconds.
    static let freshness: UInt64 = 5_000_000_000
    /// Half of the keys in memory.
    static let half = 5000

    typealias Answer = @Sendable (Result<SecretBytes, CallError>) -> Void

    private let caller: UnaryCaller
    private let storage: String
    private let keySource: String
    private let clock: any ServiceClock
    private let known = Mutex(KeyCache<Known>(half: PersonalKeys.half))
    /// Counts destructions: a look that began before one is not kept.
    private let destroyed = Atomic<UInt64>(0)

    private struct Known {
        var row: PersonalKeyRow
        var key: SecretBytes
        var lookedAt: UInt64
    }

    /// Keys in the storage instance `storage`, wrapped by the instance `keySource`.
    public convenience init(
        calls: any CallStarting, storage: String, keySource: String, clock: any ServiceClock
    ) {
        self.init(DispatchedCalls(calls: calls), storage: storage, keySource: keySource, clock: clock)
    }

    init(_ calls: any UnaryCalling, storage: String, keySource: String, clock: any ServiceClock) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.keySource = keySource
        self.clock = clock
    }

    /// Keys in memory.
    var count: Int { known.withLock { $0.count } }

    /// The key of a person; a new one where there is none and `make` says so, else DATA_LOSS `personal.tampered`: nothing
    /// was sealed by it.
    func key(of person: String, make: Bool, deadline: UInt64, _ then: @escaping Answer) {
        let now = clock.monotonic
        if let known = known.withLock({ $0[person] }), now &- known.lookedAt < Self.freshness {
            return then(.success(known.key))
        }
        let era = destroyed.load(ordering: .acquiring)
        caller.call(
            storage, "theatre.sql.v1.Database/Query", PersonalKeyRow.find(person), .system, deadline: deadline
        ) { [self] (result: Result<SQLRows, CallError>) in
            do throws(CallError) {
                guard let found = try result.get().rows.first else {
                    known.withLock { $0[person] = nil }
                    guard make else { throw PersonalEnvelope.tampered() }
                    return self.make(person, deadline: deadline, then)
                }
                guard let row = PersonalKeyRow(found), row.person == person else { throw PersonalEnvelope.tampered() }
                guard row.destroyedAt == 0 else {
                    known.withLock { $0[person] = nil }
                    throw Self.erased()
                }
                // A key that was not wrapped anew is the one that is known.
                if let key = known.withLock({ known in known[person].flatMap { $0.row == row ? $0.key : nil } }) {
                    keep(row, key, since: now, era)
                    return then(.success(key))
                }
                unwrap(row, since: now, era, deadline: deadline, then)
            } catch {
                then(.failure(error))
            }
        }
    }

    /// Erases the key of a person for good, in a commit with its audit row; when that was, the first time.
    func destroy(
        _ person: String, _ context: CallContext, deadline: UInt64,
        _ then: @escaping @Sendable (Result<Int64, CallError>) -> Void
    ) {
        caller.call(
            storage, "theatre.sql.v1.Database/Commit", PersonalKeyRow.destroy(person, at: clock.wall), context,
            deadline: deadline
        ) { [self] (result: Result<SQLCommitResponse, CallError>) in
            destroyed.add(1, ordering: .acquiringAndReleasing)
            known.withLock { $0[person] = nil }
            do throws(CallError) {
                guard let row = try result.get().results.last?.rows.first.flatMap(PersonalKeyRow.init),
                    row.destroyedAt != 0
                else { throw PersonalEnvelope.tampered() }
                then(.success(row.destroyedAt))
            } catch {
                then(.failure(error))
            }
        }
    }

    private func make(_ person: String, deadline: UInt64, _ then: @escaping Answer) {
        let request = KeySourceWrapRequest.with {
            $0.plaintext = SecretEnvelope.newKey()
            $0.associatedData = PersonalEnvelope.keyData(person)
        }
        caller.call(keySource, "theatre.keysource.v1.Source/Wrap", request, .system, deadline: deadline) {
            [self] (result: Result<KeySourceWrapResponse, CallError>) in
            do throws(CallError) {
                let wrapped = try sourced(result)
                let row = PersonalKeyRow(
                    person: person, keyVersion: wrapped.version, wrapped: wrapped.wrapped, createdAt: clock.wall)
                caller.call(
                    storage, "theatre.sql.v1.Database/Commit", row.insert(), .system, deadline: deadline
                ) { [self] (result: Result<SQLCommitResponse, CallError>) in
                    do throws(CallError) {
                        _ = try result.get()
                        // What is stored counts: another may have been faster, or it was destroyed since.
                        key(of: person, make: false, deadline: deadline, then)
                    } catch {
                        then(.failure(error))
                    }
                }
            } catch {
                then(.failure(error))
            }
        }
    }

    private func unwrap(
        _ row: PersonalKeyRow, since time: UInt64, _ era: UInt64, deadline: UInt64, _ then: @escaping Answer
    ) {
        let request = KeySourceUnwrapRequest.with {
            $0.wrapped = row.wrapped
            $0.associatedData = row.associatedData
        }
        caller.call(keySource, "theatre.keysource.v1.Source/Unwrap", request, .system, deadline: deadline) {
            [self] (result: Result<KeySourceUnwrapResponse, CallError>) in
            do throws(CallError) {
                let bytes = try sourced(result).plaintext
                guard bytes.count == SecretEnvelope.keySize else { throw PersonalEnvelope.tampered() }
                let key = SecretBytes(bytes)
                keep(row, key, since: time, era)
                then(.success(key))
            } catch {
                then(.failure(error))
            }
        }
    }

    /// Counted from before the look: what happened during it may not have been seen.
    private func keep(_ row: PersonalKeyRow, _ key: SecretBytes, since time: UInt64, _ era: UInt64) {
        known.withLock { known in
            guard destroyed.load(ordering: .acquiring) == era else { return }
            known[row.person] = Known(row: row, key: key, lookedAt: time)
        }
    }

    private func sourced<Value>(_ result: Result<Value, CallError>) throws(CallError) -> Value {
        do throws(CallError) { return try result.get() } catch {
            guard error.reason == "instance.unknown" else { throw error }
            throw CallError(
                .failedPrecondition, "personal.no_key_source",
                "There is no instance \(keySource) to wrap keys of persons; enable one and name it in key_source.")
        }
    }

    private static func erased() -> CallError {
        CallError(.failedPrecondition, "personal.erased", "The key of this person was destroyed; nothing can be read.")
    }
}
