// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Runtime
import Services
import SwiftProtobuf
import TheatreContracts

/// What operators do with stored secrets. Values go in; none comes out.
///
/// Every change is one commit with its audit row.
struct SecretVault {
    let runtime: OperatorRuntime
    /// Who is at the terminal, for the audit.
    let actor: String

    init(_ runtime: OperatorRuntime) throws(CallError) {
        self.runtime = runtime
        actor = "operator:\(getuid())"
        let request = SQLMigrateRequest.with { $0.migrations = HostSchema.migrations }
        let _: SQLMigrateResponse = try runtime.call("theatre.sql.v1.Database/Migrate", request)
    }

    /// Stores a value as the next version.
    func put(_ value: Data, _ address: SecretAddress) throws(CallError) -> SecretRow {
        let version = (try versions(of: address).first?.version ?? 0) + 1
        let key = SecretEnvelope.newKey()
        let wrapped: KeySourceWrapResponse = try keys(
            "Wrap",
            KeySourceWrapRequest.with {
                $0.plaintext = key
                $0.associatedData = address.associatedData(version: version)
            })
        let row = SecretRow(
            address, version: version, keyVersion: wrapped.version, wrapped: wrapped.wrapped,
            sealed: try SecretEnvelope.seal(value, key: key, address, version: version), createdAt: Self.now,
            createdBy: actor)
        _ = try commit(row.insert(), "put", address)
        return row
    }

    /// Every version, newest first; deleted ones too.
    func versions(of address: SecretAddress) throws(CallError) -> [SecretRow] {
        try rows(SecretRow.versions(of: address))
    }

    /// The newest version of each secret that is there.
    func list() throws(CallError) -> [SecretRow] { try rows(SecretRow.newest()).filter { $0.deletedAt == 0 } }

    /// Erases every version; false where there was none.
    func delete(_ address: SecretAddress) throws(CallError) -> Bool {
        try commit(SecretRow.delete(address, at: Self.now), "delete", address) > 0
    }

    /// The version by which data keys are wrapped now.
    func currentKeyVersion() throws(CallError) -> String {
        let described: KeySourceDescribeResponse = try keys("Describe", KeySourceDescribeRequest())
        return described.currentVersion
    }

    /// Up to 100 versions that an older master key wraps.
    func outdated(_ current: String) throws(CallError) -> [SecretRow] { try rows(SecretRow.wrapped(notBy: current)) }

    /// Wraps a version's data key by the current master key; the value is not touched.
    func rewrap(_ row: SecretRow) throws(CallError) {
        let wrapped: KeySourceWrapResponse = try keys(
            "Rewrap",
            KeySourceRewrapRequest.with {
                $0.wrapped = row.wrapped
                $0.associatedData = row.address.associatedData(version: row.version)
            })
        _ = try commit(row.rewrapped(wrapped.wrapped, by: wrapped.version), "rewrap", row.address)
    }

    private func rows(_ request: SQLQueryRequest) throws(CallError) -> [SecretRow] {
        let rows: SQLRows = try runtime.call("theatre.sql.v1.Database/Query", request)
        return try rows.rows.map { row throws(CallError) in
            guard let row = SecretRow(row) else {
                throw CallError(.dataLoss, "secrets.tampered", "A row of stored secrets has another shape.")
            }
            return row
        }
    }

    private func keys<Request: Message, Response: Message>(
        _ operation: String, _ request: Request
    ) throws(CallError) -> Response {
        try runtime.call("theatre.keysource.v1.Source/\(operation)", request, on: runtime.host.keySource)
    }

    /// Rows that changed.
    private func commit(
        _ request: SQLCommitRequest, _ action: String, _ address: SecretAddress
    ) throws(CallError) -> Int {
        let context = HostContext.with {
            $0.tenant = address.tenant
            $0.project = address.project
            $0.principal = actor
            $0.principalKind = .system
            $0.route = "theatre secrets \(action)"
            $0.resource = address.resource
            $0.action = action
            $0.decision = "operator"
            $0.audit = "change"
        }
        let response: SQLCommitResponse = try runtime.call(
            "theatre.sql.v1.Database/Commit", request, context: CallContext(context))
        return response.results.reduce(0) { $0 + Int($1.changed) }
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
