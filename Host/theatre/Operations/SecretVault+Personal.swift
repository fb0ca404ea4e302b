// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Services
import SwiftProtobuf
import TheatreContracts

/// Keys of persons are wrapped by the same master key as those of secrets, and are wrapped anew with them.
extension SecretVault {
    /// Up to 100 keys of persons that an older master key wraps.
    func outdatedPeople(_ current: String) throws(CallError) -> [PersonalKeyRow] {
        let rows: SQLRows = try runtime.call(
            "theatre.sql.v1.Database/Query", PersonalKeyRow.wrapped(notBy: current))
        return try rows.rows.map { row throws(CallError) in
            guard let row = PersonalKeyRow(row) else {
                throw CallError(.dataLoss, "personal.tampered", "A row of the keys of persons has another shape.")
            }
            return row
        }
    }

    /// Wraps a person's key by the current master key; what it seals is not touched.
    func rewrap(_ row: PersonalKeyRow) throws(CallError) {
        let request = KeySourceRewrapRequest.with {
            $0.wrapped = row.wrapped
            $0.associatedData = row.associatedData
        }
        let wrapped: KeySourceWrapResponse = try runtime.call(
            "theatre.keysource.v1.Source/Rewrap", request, on: runtime.host.keySource)
        let context = HostContext.with {
            $0.tenant = "default"
            $0.principal = actor
            $0.principalKind = .system
            $0.route = "theatre secrets rewrap"
            $0.resource = "person:\(row.person)"
            $0.action = "rewrap"
            $0.decision = "operator"
            $0.audit = "change"
        }
        let _: SQLCommitResponse = try runtime.call(
            "theatre.sql.v1.Database/Commit", row.rewrapped(wrapped.wrapped, by: wrapped.version),
            context: CallContext(context))
    }
}
