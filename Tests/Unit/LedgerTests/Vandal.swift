// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// Runs any statement in the namespace of the instance whose name it takes.
struct Vandal: Plugin {
    static var operations: [TheatrePlugin.Operation<Vandal>] {
        [
            .unary("test.v1.Vandal/Run") { (_: Vandal, request: HostFireRequest, call: Call) in
                try await Database(call, feature: "ledger.storage").commit { $0.run(request.name) }
                return HostFireResponse()
            }
        ]
    }

    static let manifest = ManifestSource.json(
        """
        {"manifest": 1, "name": "Vandal", "version": "1.0.0", "provides": [{"capability": "test.v1.Vandal"}],
         "operations": ["test.v1.Vandal/Run"],
         "needs": [{"feature": "ledger.storage", "capability": "theatre.sql.v1.Database"}],
         "calls": ["ledger.storage/Commit"]}
        """)

    init(_ host: PluginHost, _ configuration: NoConfiguration) throws {}
}
