// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// Blobs in files whose index each engine keeps: keys, sizes and the order of a list.
@Suite(.closing) struct BlobIndexTests {
    private func storage(_ engine: Engine, _ folder: String) async throws -> Storage {
        let storage = try await Storage(engine, checksTenants: true)
        let host = storage.host
        host.route("localblobs.storage", to: "storage", capability: "theatre.sql.v1.Database")
        host.serve("theatre.host.v1.Timers/Schedule") { (_: HostScheduleRequest, _) in HostScheduleResponse() }
        let blobs = try await host.install(
            LocalBlobs.self, manifest: .plugin("Storage/LocalBlobs"), instance: "blobs",
            configuration: "{\"path\": \"\(folder)\", \"quota_bytes\": 20000}")
        OpenedInstances.current?.add(blobs)
        host.route("files", to: "blobs", capability: "theatre.blob.v1.Store")
        return storage
    }

    @Test(arguments: Engine.meaning) func theStoreIsADictionary(_ engine: Engine) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/blobs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) } }
        let storage = try await storage(engine, folder)
        let blobs = Blobs(storage.scope(as: "drafting"), feature: "files")
        let others = Blobs(storage.scope(as: "drafting", tenant: "t2"), feature: "files")
        try await others.put("a", Data("theirs".utf8))
        var random = SeededGenerator(seed: 7)
        var model: [String: Data] = [:]
        for turn in 0..<80 {
            let key = ["a", "B", "a/b", "a/C", "Z", "é", "_"][Int.random(in: 0..<7, using: &random)]
            if Int.random(in: 0..<4, using: &random) == 0 {
                try await blobs.delete(key)
                model[key] = nil
                continue
            }
            let bytes = Data(repeating: UInt8(turn), count: Int.random(in: 0...6000, using: &random))
            let stored = model.values.reduce(0) { $0 + $1.count } - (model[key]?.count ?? 0)
            do {
                try await blobs.put(key, bytes)
                model[key] = bytes
                #expect(stored + bytes.count <= 20_000)
            } catch let error as PluginError {
                #expect(error.reason == "blob.quota" && stored + bytes.count > 20_000, "\(error)")
            }
        }
        let sorted = model.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try await blobs.list().blobs.map(\.key) == sorted)
        #expect(try await blobs.list(prefix: "a/").blobs.map(\.key) == sorted.filter { $0.hasPrefix("a/") })
        for (key, bytes) in model { #expect(try await blobs.get(key, limit: 8000).bytes == bytes) }
        #expect(try await others.get("a", limit: 10).bytes == Data("theirs".utf8))
        try await storage.host.fire(timer: "sweep", on: "blobs")
        #expect(storage.host.violations.isEmpty)
    }
}
