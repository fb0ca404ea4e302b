// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// `vault:INSTANCE/PATH#FIELD`, read by instances of `theatre.secretsource.v1.Source`, beside secrets of the other kinds.
///
/// As fresh and as stale as ``StoredSecrets``: a use a second after the last look asks the vault again, and where that
/// cannot be reached, the last value serves for five minutes.
public final class VaultSecrets: SecretSource {
    private let local: any SecretSource
    private let caller: UnaryCaller
    private let barred: Set<String>
    private let monotonic: @Sendable () -> UInt64
    private let known = Mutex<[String: Known]>([:])

    private struct Known {
        var value: SecretBytes
        var lookedAt: UInt64
    }

    /// Secrets of vaults.
    ///
    /// - Parameters:
    ///   - local: those of the other kinds.
    ///   - barred: instances that can have none: those that open stored secrets.
    public convenience init(
        beside local: any SecretSource, calls: any CallStarting, barred: Set<String>,
        monotonic: @escaping @Sendable () -> UInt64
    ) {
        self.init(beside: local, DispatchedCalls(calls: calls), barred: barred, monotonic: monotonic)
    }

    init(
        beside local: any SecretSource, _ calls: any UnaryCalling, barred: Set<String>,
        monotonic: @escaping @Sendable () -> UInt64
    ) {
        self.local = local
        caller = UnaryCaller(calls: calls)
        self.barred = barred
        self.monotonic = monotonic
    }

    /// What was fetched; see ``SecretSource``.
    public func value(for source: String) throws(CallError) -> SecretBytes {
        guard VaultReference.isKind(of: source) else { return try local.value(for: source) }
        if let known = known.withLock({ $0[source] }) { return known.value }
        throw Self.missing(source)
    }

    /// The others as one instance is to see them.
    public func seen(by instance: InstanceIdentity) -> any SecretSource {
        SeenVaultSecrets(vault: self, local: local.seen(by: instance))
    }

    /// Looks for each, where the last look is too long ago.
    public func fetch(
        _ sources: [String], for instance: InstanceIdentity, deadline: UInt64,
        _ then: @escaping @Sendable (CallError?) -> Void
    ) {
        let wanted = Set(sources.filter(VaultReference.isKind(of:))).filter { !isFresh($0) }
        let others = sources.filter { !VaultReference.isKind(of: $0) }
        guard !wanted.isEmpty else { return local.fetch(others, for: instance, deadline: deadline, then) }
        guard !barred.contains(instance.instance) else {
            return then(
                CallError(
                    .failedPrecondition, "secrets.circular",
                    "Instance \(instance.instance) opens secrets and can have none of a vault itself; use file: or env:."
                ))
        }
        let looks = Looks(wanted.count + 1, then)
        local.fetch(others, for: instance, deadline: deadline) { looks.end($0) }
        for source in wanted { look(for: source, deadline) { looks.end($0) } }
    }

    private func isFresh(_ source: String) -> Bool {
        let now = monotonic()
        return known.withLock { $0[source] }.map { now &- $0.lookedAt < StoredSecrets.freshness } ?? false
    }

    private func look(for source: String, _ deadline: UInt64, _ then: @escaping @Sendable (CallError?) -> Void) {
        guard let reference = VaultReference(source) else {
            return then(
                CallError(
                    .failedPrecondition, "secrets.bad_source",
                    "A secret's source of kind \"vault\" is malformed; write vault:INSTANCE/PATH#FIELD."))
        }
        let request = SecretSourceReadRequest.with {
            $0.path = reference.path
            $0.field = reference.field
        }
        caller.call(
            reference.instance, "\(VaultReference.capability)/Read", request, .system, deadline: deadline
        ) { [self] (result: Result<SecretSourceReadResponse, CallError>) in
            switch result {
            case .success(let response):
                keep(response, for: source)
                then(nil)
            case .failure(let error) where error.code == .notFound && error.reason == "secretsource.missing":
                known.withLock { $0[source] = nil }
                then(Self.missing(source))
            case .failure(let error): then(outlived(source, error))
            }
        }
    }

    private func keep(_ response: SecretSourceReadResponse, for source: String) {
        let now = monotonic()
        let value = SecretBytes(response.value)
        // What the vault said last counts, also where it counts versions anew.
        known.withLock { $0[source] = Known(value: value, lookedAt: now) }
    }

    /// The error, unless the last value may serve in place of what cannot be reached.
    private func outlived(_ source: String, _ error: CallError) -> CallError? {
        guard [.unavailable, .deadlineExceeded].contains(error.code) else { return error }
        let now = monotonic()
        let serves = known.withLock { $0[source] }.map { now &- $0.lookedAt < StoredSecrets.staleness } ?? false
        return serves ? nil : error
    }

    private static func missing(_ source: String) -> CallError {
        CallError(
            .failedPrecondition, "secrets.missing", "There is no secret at \(source); put it into the vault.")
    }
}

/// Secrets of vaults, and the others as one instance sees them.
private struct SeenVaultSecrets: SecretSource {
    let vault: VaultSecrets
    let local: any SecretSource

    func value(for source: String) throws(CallError) -> SecretBytes {
        VaultReference.isKind(of: source) ? try vault.value(for: source) : try local.value(for: source)
    }
}
