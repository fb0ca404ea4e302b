// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// Whose keys: those of one plugin instance within one tenant.
struct BlobOwner: Sendable, Hashable {
    var tenant: String
    var instance: String

    init(tenant: String, instance: String) {
        self.tenant = tenant
        self.instance = instance
    }

    /// Of a call.
    init(_ call: Call) throws {
        let context = call.context
        guard !context.tenant.isEmpty else { throw LocalBlobsError.noTenant }
        self.init(tenant: context.tenant, instance: context.caller)
    }
}
