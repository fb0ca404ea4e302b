// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin

/// Blobs as files named by the digest of their content; keys, sizes and uploads are rows of the database.
struct LocalBlobs: Plugin, BlobStoreContract, HTTPHandlerContract, HostTargetContract {
    static var operations: [Operation<LocalBlobs>] {
        blobStoreOperations + blobMaintenanceOperations
            + httpHandlerOperations.filter { $0.name.hasSuffix("/HandleStream") }
            + hostTargetOperations
    }

    let host: PluginHost
    let configuration: LocalBlobsConfiguration
    let vault: BlobVault
    private let firstSweep = FirstSweep()

    init(_ host: PluginHost, _ configuration: LocalBlobsConfiguration) throws {
        let root = configuration.path.isEmpty ? host.environment.stateFolder : configuration.path
        guard !root.isEmpty else { throw LocalBlobsError.noFolder }
        self.host = host
        self.configuration = configuration
        vault = BlobVault(ContentFiles(SystemFiles(), root: root), configuration)
    }

    func activate() async throws {
        try await BlobRows(host, configuration).database.migrate(BlobSchema.migrations)
        try await vault.prepare()
    }

    /// Sees to the first sweep, at the first change: the host's timers serve once all instances are ready. Soon after it,
    /// so that a host that is restarted often still sweeps.
    func scheduleFirstSweep() async throws {
        guard firstSweep.isScheduled.exchange(true, ordering: .relaxed) == false else { return }
        do {
            try await schedule(host, after: min(configuration.sweepMinutes, 5))
        } catch {
            firstSweep.isScheduled.store(false, ordering: .relaxed)
            throw error
        }
    }

    /// Writes nothing where a folder is full or read-only, so that reads go on; says so in the log.
    func selfTest() async throws {
        _ = try await BlobRows(host, configuration).usage(of: BlobOwner(tenant: "", instance: ""))
        let files = vault.files
        _ = try await vault.threads.run { try files.digests(in: "00", before: 0) }
    }

    func deactivate() async { vault.threads.close() }

    // MARK: theatre.host.v1.Target

    func fire(_ request: HostFireRequest, _ call: Call) async throws -> HostFireResponse {
        let swept = try await vault.sweep(BlobRows(call, configuration), at: host.now)
        if swept != BlobVault.Swept() {
            host.log.info(
                "swept blobs",
                ["files": "\(swept.files)", "incoming": "\(swept.incoming)", "uploads": "\(swept.uploads)"])
        }
        try await schedule(call, after: configuration.sweepMinutes)
        return HostFireResponse()
    }

    private func schedule(_ scope: some CallScope, after minutes: Int64) async throws {
        let at = host.now + minutes * 60_000
        _ = try await HostTimersClient(scope).schedule(
            .with {
                $0.name = "sweep"
                $0.at = at
            })
    }
}

/// Whether the life of an instance has seen to its first sweep.
private final class FirstSweep: Sendable {
    let isScheduled = Atomic(false)
}
