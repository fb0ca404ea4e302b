// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// Stored secrets as rows: calls to the storage and the key source, by callback.
struct SecretShelf: Sendable {
    typealias Then<Value> = @Sendable (Result<Value, CallError>) -> Void

    let caller: UnaryCaller
    let storage: String
    let keySource: String

    /// Every version, newest first; deleted ones too.
    func versions(of address: SecretAddress, _ deadline: UInt64, _ then: @escaping Then<[SecretRow]>) {
        rows(SecretRow.versions(of: address), deadline, then)
    }

    /// The newest version of each secret of a tenant, and how many are kept.
    func newest(of tenant: String, _ deadline: UInt64, _ then: @escaping Then<[(row: SecretRow, kept: Int64)]>) {
        query(SecretRow.newest(of: tenant), deadline) { row in
            guard case .integer(let kept)? = row.values.last?.kind else { return nil }
            return SecretRow(row).map { ($0, kept) }
        } then: {
            then($0)
        }
    }

    /// Up to 100 data keys that another master key wraps, after one of them: those of secrets, then those of persons.
    func outdated(
        _ current: String, after last: WrappedKey?, _ deadline: UInt64, _ then: @escaping Then<[WrappedKey]>
    ) {
        var secret: SecretRow?
        switch last {
        case nil: break
        case .secret(let row)?: secret = row
        case .person(let row)?: return people(current, after: row.person, deadline, then)
        }
        rows(SecretRow.wrapped(notBy: current, after: secret), deadline) { result in
            if case .success(let rows) = result, rows.isEmpty { return people(current, after: "", deadline, then) }
            then(result.map { $0.map(WrappedKey.secret) })
        }
    }

    private func people(
        _ current: String, after person: String, _ deadline: UInt64, _ then: @escaping Then<[WrappedKey]>
    ) {
        query(PersonalKeyRow.wrapped(notBy: current, after: person), deadline, PersonalKeyRow.init) {
            then($0.map { $0.map(WrappedKey.person) })
        }
    }

    /// How many data keys another master key wraps.
    func count(notBy current: String, _ deadline: UInt64, _ then: @escaping Then<Int64>) {
        number(SecretRow.count(notBy: current), deadline) { result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let secrets):
                number(PersonalKeyRow.count(notBy: current), deadline) { then($0.map { $0 + secrets }) }
            }
        }
    }

    private func number(_ request: SQLQueryRequest, _ deadline: UInt64, _ then: @escaping Then<Int64>) {
        caller.call(storage, "theatre.sql.v1.Database/Query", request, .system, deadline: deadline) {
            (result: Result<SQLRows, CallError>) in
            then(
                result.map { rows in
                    guard case .integer(let count)? = rows.rows.first?.values.first?.kind else { return 0 }
                    return count
                })
        }
    }

    /// By which version data keys are wrapped now.
    func currentKeyVersion(_ deadline: UInt64, _ then: @escaping Then<String>) {
        keys("Describe", KeySourceDescribeRequest(), deadline) {
            (result: Result<KeySourceDescribeResponse, CallError>) in
            then(result.map(\.currentVersion))
        }
    }

    /// A new version, not stored yet.
    func seal(
        _ value: SecretBytes, _ address: SecretAddress, version: Int64, at time: Int64, by actor: String,
        _ deadline: UInt64, _ then: @escaping Then<SecretRow>
    ) {
        let key = SecretEnvelope.newKey()
        let request = KeySourceWrapRequest.with {
            $0.plaintext = key
            $0.associatedData = address.associatedData(version: version)
        }
        keys("Wrap", request, deadline) { (result: Result<KeySourceWrapResponse, CallError>) in
            do throws(CallError) {
                let wrapped = try result.get()
                let sealed = try SecretEnvelope.seal(
                    value.withUnsafeBytes { Data($0) }, key: key, address, version: version)
                then(
                    .success(
                        SecretRow(
                            address, version: version, keyVersion: wrapped.version, wrapped: wrapped.wrapped,
                            sealed: sealed, createdAt: time, createdBy: actor)))
            } catch {
                then(.failure(error))
            }
        }
    }

    /// A data key by the current master key.
    func rewrap(_ key: WrappedKey, _ deadline: UInt64, _ then: @escaping Then<KeySourceWrapResponse>) {
        let request = KeySourceRewrapRequest.with {
            $0.wrapped = key.wrapped
            $0.associatedData = key.associatedData
        }
        keys("Rewrap", request, deadline, then)
    }

    func commit(
        _ request: SQLCommitRequest, _ context: CallContext, _ deadline: UInt64,
        _ then: @escaping Then<SQLCommitResponse>
    ) {
        caller.call(storage, "theatre.sql.v1.Database/Commit", request, context, deadline: deadline, then)
    }

    private func rows(_ request: SQLQueryRequest, _ deadline: UInt64, _ then: @escaping Then<[SecretRow]>) {
        query(request, deadline, SecretRow.init, then: then)
    }

    private func query<Value: Sendable>(
        _ request: SQLQueryRequest, _ deadline: UInt64, _ read: @escaping @Sendable (SQLRow) -> Value?,
        then: @escaping Then<[Value]>
    ) {
        caller.call(storage, "theatre.sql.v1.Database/Query", request, .system, deadline: deadline) {
            (result: Result<SQLRows, CallError>) in
            do throws(CallError) {
                let rows = try result.get().rows
                let values = rows.compactMap(read)
                guard values.count == rows.count else {
                    throw CallError(.dataLoss, "secrets.tampered", "A row of stored secrets has another shape.")
                }
                then(.success(values))
            } catch {
                then(.failure(error))
            }
        }
    }

    private func keys<Request: Message, Response: Message>(
        _ operation: String, _ request: Request, _ deadline: UInt64, _ then: @escaping Then<Response>
    ) {
        caller.call(keySource, "theatre.keysource.v1.Source/\(operation)", request, .system, deadline: deadline) {
            (result: Result<Response, CallError>) in
            guard case .failure(let error) = result,
                ["instance.unknown", "instance.no_operation"].contains(error.reason)
            else { return then(result) }
            then(
                .failure(
                    CallError(
                        .failedPrecondition, "secrets.no_key_source",
                        "This deployment has no key source that could seal a secret; enable one, such as KeyFile.")))
        }
    }
}
