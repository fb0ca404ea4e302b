// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What every store of blobs does.
struct SuiteTests {
    @Test(arguments: BlobSuite.cases) func theSuiteHolds(_ rule: SuiteCase<BlobSubject>) async throws {
        let bench = try await Bench()
        let (host, folder) = (bench.host, bench.folder)
        host.route("care", to: "blobs", capability: "theatre.blob.v1.Maintenance")
        let subject = BlobSubject(
            blobs: { instance, tenant in Blobs(host.scope(as: instance, tenant: tenant), feature: "files") },
            standing: {
                let care = BlobMaintenanceClient(host.scope(as: "host"), feature: "care")
                let status = try await care.status(BlobStatusRequest())
                return BlobSubject.Standing(isWritable: status.writable, reason: status.reason)
            },
            setRefusesWrites: { refuses in
                // Its folder is gone, and comes back.
                let (here, away) = ("\(folder)/incoming", "\(folder)/away")
                try FileManager.default.moveItem(
                    atPath: refuses ? here : away, toPath: refuses ? away : here)
            })
        try await rule.run(subject)
    }
}
