// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// What nothing refers to goes, and nothing else.
struct SweepTests {
    @Test func onlyWhatIsUnusedAndOldGoes() async throws {
        let bench = try await Bench()
        let blobs = bench.blobs()
        let shared = noise(10, seed: 1)
        try await blobs.put("a", shared)
        try await blobs.put("b", shared)
        try await blobs.put("c", noise(10, seed: 2))
        try await blobs.delete("a")
        try await blobs.delete("c")
        #expect(try bench.files().count == 2)
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try bench.files().count == 2)
        try bench.age()
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try bench.files().count == 1)
        #expect(try await blobs.get("b", limit: 10).bytes == shared)
    }

    @Test func whatIsPutAgainIsYoung() async throws {
        let bench = try await Bench()
        let bytes = noise(10, seed: 1)
        try await bench.blobs().put("a", bytes)
        try await bench.blobs().delete("a")
        try bench.age()
        // Its row is not there yet when the sweep looks.
        let vault = try bench.vault()
        let content = try await vault.receive(size: 0, sha256: "", most: 100, once(bytes))
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try bench.files().count == 1)
        let reader = try await vault.open(content, from: 0, count: content.size)
        #expect(try await reader.next() == bytes)
    }

    @Test func filesOfKilledWritersGo() async throws {
        let bench = try await Bench()
        try Data("half".utf8).write(to: URL(filePath: bench.folder + "/incoming/in_1"))
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try bench.files("incoming").count == 1)
        try bench.age()
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try bench.files("incoming").isEmpty)
    }
}

/// Bytes in one piece.
func once(_ bytes: Data) -> () async throws -> Data? {
    var rest: Data? = bytes
    return {
        defer { rest = nil }
        return rest
    }
}

extension Bench {
    func configuration() throws -> LocalBlobsConfiguration {
        LocalBlobsConfiguration(
            path: folder, maxBytes: 1 << 30, quotaBytes: 0, totalBytes: 0, contentTypes: [], threads: 2,
            sweepMinutes: 60, graceMinutes: 60, uploadDays: 7)
    }

    func vault(_ layer: (any FileLayer)? = nil) throws -> BlobVault {
        BlobVault(ContentFiles(layer ?? SystemFiles(), root: folder), try configuration())
    }
}
