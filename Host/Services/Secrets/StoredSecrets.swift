// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// `store:NAME` from the database, beside what ``FileAndEnvironmentSecrets`` has.
///
/// A value is fetched when it is used, decrypted by the key source, and kept in memory. A use a second after the last
/// look asks the database again, so that what was put, rotated or deleted counts without a restart, on every host.
public final class StoredSecrets: SecretSource {
    /// How long a look at the database holds, in nanoseconds.
    static let freshness: UInt64 = 1_000_000_000
    /// How long a value outlives a database or key source that cannot be reached, in nanoseconds.
    static let staleness: UInt64 = 300_000_000_000

    private let local: any SecretSource
    private let caller: UnaryCaller
    private let storage: String
    private let keySource: String
    private let monotonic: @Sendable () -> UInt64
    private let known = Mutex<[String: Known]>([:])

    private struct Known {
        var row: SecretRow
        var value: SecretBytes
        var lookedAt: UInt64
    }

    /// Secrets in the storage instance `storage`, whose data keys the instance `keySource` unwraps.
    ///
    /// - Parameter local: those of the other kinds.
    public convenience init(
        beside local: any SecretSource, calls: any CallStarting, storage: String, keySource: String,
        monotonic: @escaping @Sendable () -> UInt64
    ) {
        self.init(
            beside: local, DispatchedCalls(calls: calls), storage: storage, keySource: keySource, monotonic: monotonic)
    }

    init(
        beside local: any SecretSource, _ calls: any UnaryCalling, storage: String, keySource: String,
        monotonic: @escaping @Sendable () -> UInt64
    ) {
        self.local = local
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.keySource = keySource
        self.monotonic = monotonic
    }

    /// The name in `store:NAME`; nil for other kinds.
    public static func name(in source: String) -> String? {
        source.hasPrefix("store:") ? String(source.dropFirst(6)) : nil
    }

    /// What was fetched; see ``SecretSource``.
    public func value(for source: String) throws(CallError) -> SecretBytes {
        guard let name = Self.name(in: source) else { return try local.value(for: source) }
        if let known = known.withLock({ $0[name] }) { return known.value }
        throw Self.missing(name)
    }

    /// The others as one instance is to see them.
    public func seen(by instance: InstanceIdentity) -> any SecretSource {
        SeenSecrets(stored: self, local: local.seen(by: instance))
    }

    /// Looks for each, where the last look is too long ago.
    public func fetch(
        _ sources: [String], for instance: InstanceIdentity, deadline: UInt64,
        _ then: @escaping @Sendable (CallError?) -> Void
    ) {
        let names = Set(sources.compactMap(Self.name(in:))).filter { !isFresh($0) }
        guard !names.isEmpty else { return then(nil) }
        guard ![storage, keySource].contains(instance.instance) else {
            return then(
                CallError(
                    .failedPrecondition, "secrets.circular",
                    "Instance \(instance.instance) opens stored secrets and can have none itself; use file: or env:."))
        }
        let looks = Looks(names.count, then)
        for name in names { look(for: name, deadline) { looks.end($0) } }
    }

    private func isFresh(_ name: String) -> Bool {
        let now = monotonic()
        return known.withLock { $0[name] }.map { now &- $0.lookedAt < Self.freshness } ?? false
    }

    private func look(for name: String, _ deadline: UInt64, _ then: @escaping @Sendable (CallError?) -> Void) {
        let address = SecretAddress(deployment: name)
        caller.call(
            storage, "theatre.sql.v1.Database/Query", SecretRow.versions(of: address, limit: 1), .system,
            deadline: deadline
        ) { [self] (result: Result<SQLRows, CallError>) in
            do throws(CallError) {
                guard let row = try result.get().rows.first.flatMap(SecretRow.init), row.deletedAt == 0,
                    row.address == address
                else {
                    known.withLock { $0[name] = nil }
                    throw Self.missing(name)
                }
                if renewed(name, row) { return then(nil) }
                unwrap(row, deadline) { error in then(error.flatMap { self.outlived(name, $0) }) }
            } catch {
                then(outlived(name, error))
            }
        }
    }

    /// True where the row is the one whose value is known.
    private func renewed(_ name: String, _ row: SecretRow) -> Bool {
        let now = monotonic()
        return known.withLock { known in
            // A data key wrapped anew is the same data key.
            guard let old = known[name], old.row.version == row.version, old.row.sealed == row.sealed else {
                return false
            }
            known[name] = Known(row: row, value: old.value, lookedAt: now)
            return true
        }
    }

    private func unwrap(_ row: SecretRow, _ deadline: UInt64, _ then: @escaping @Sendable (CallError?) -> Void) {
        let request = KeySourceUnwrapRequest.with {
            $0.wrapped = row.wrapped
            $0.associatedData = row.address.associatedData(version: row.version)
        }
        caller.call(keySource, "theatre.keysource.v1.Source/Unwrap", request, .system, deadline: deadline) {
            [self] (result: Result<KeySourceUnwrapResponse, CallError>) in
            do throws(CallError) {
                let value = try SecretEnvelope.open(
                    row.sealed, key: try result.get().plaintext, row.address, version: row.version)
                let now = monotonic()
                known.withLock { known in
                    // An older look that took longer must not win.
                    if let old = known[row.address.name], old.row.version > row.version { return }
                    known[row.address.name] = Known(row: row, value: value, lookedAt: now)
                }
                then(nil)
            } catch {
                then(error)
            }
        }
    }

    /// The error, unless the last value may serve in place of what cannot be reached.
    private func outlived(_ name: String, _ error: CallError) -> CallError? {
        guard [.unavailable, .deadlineExceeded].contains(error.code) else { return error }
        let now = monotonic()
        let serves = known.withLock { $0[name] }.map { now &- $0.lookedAt < Self.staleness } ?? false
        return serves ? nil : error
    }

    private static func missing(_ name: String) -> CallError {
        CallError(
            .failedPrecondition, "secrets.missing",
            "There is no stored secret \(name); put it with `theatre secrets put \(name)`.")
    }
}

/// Stored secrets, and the others as one instance sees them.
private struct SeenSecrets: SecretSource {
    let stored: StoredSecrets
    let local: any SecretSource

    func value(for source: String) throws(CallError) -> SecretBytes {
        StoredSecrets.name(in: source) == nil ? try local.value(for: source) : try stored.value(for: source)
    }
}

/// Goes on after the last of several looks, with the first error.
final class Looks: Sendable {
    private let state: Mutex<(left: Int, error: CallError?)>
    private let then: @Sendable (CallError?) -> Void

    init(_ count: Int, _ then: @escaping @Sendable (CallError?) -> Void) {
        state = Mutex((count, nil))
        self.then = then
    }

    func end(_ error: CallError?) {
        let last = state.withLock { state -> (isLast: Bool, error: CallError?) in
            state.left -= 1
            state.error = state.error ?? error
            return (state.left == 0, state.error)
        }
        if last.isLast { then(last.error) }
    }
}
