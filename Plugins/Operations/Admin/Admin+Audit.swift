// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// The audit log of the operator's own tenant: the host goes by the tenant of the call, never by what is asked for.
extension Admin: AdminAuditContract {
    func searchAudit(_ request: HostAuditSearch, _ call: Call) async throws -> HostAuditRecords {
        try admit(call)
        return try await HostAuditClient(call).search(request)
    }

    func verifyAudit(_ request: HostAuditVerification, _ call: Call) async throws -> HostAuditVerdict {
        try admit(call)
        return try await HostAuditClient(call).verify(request)
    }
}
