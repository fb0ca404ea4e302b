// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs
@testable import SQLite

/// The plugin over the real database and a folder of its own.
struct Bench: ~Copyable {
    let host = TestHost()
    let folder: String

    init(_ configuration: String = "") async throws {
        folder = FileManager.default.temporaryDirectory.path + "/blobs-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("localblobs.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        host.serve("theatre.host.v1.Timers/Schedule") { (_: HostScheduleRequest, _) in HostScheduleResponse() }
        host.serve("theatre.host.v1.Keys/Mac") { (request: HostMacRequest, _) in
            HostMacResponse.with { $0.mac = Data(Digest.hmacSHA256(key: [1, 2, 3], Array(request.data))) }
        }
        host.serve("theatre.host.v1.Keys/VerifyMac") { (request: HostVerifyMacRequest, _) in
            let code = Digest.hmacSHA256(key: [1, 2, 3], Array(request.data))
            return HostVerifyMacResponse.with { $0.valid = Digest.equal(code, Array(request.mac)) }
        }
        try await host.install(
            LocalBlobs.self, manifest: .plugin("Storage/LocalBlobs"), instance: "blobs",
            configuration: #"{"path": "\#(folder)"\#(configuration)}"#)
        host.route("files", to: "blobs", capability: "theatre.blob.v1.Store")
        host.route("web", to: "blobs", capability: "theatre.http.v1.Handler")
    }

    deinit { removeFolder(folder) }

    func blobs(as instance: String = "drafting", tenant: String = "default") -> Blobs {
        Blobs(host.scope(as: instance, tenant: tenant), feature: "files")
    }

    func store(as instance: String = "drafting", tenant: String = "default") -> BlobStoreClient {
        BlobStoreClient(host.scope(as: instance, tenant: tenant), feature: "files")
    }

    /// Files below the folder, by name.
    func files(_ part: String = "content") throws -> [String] {
        let root = "\(folder)/\(part)"
        let manager = FileManager.default
        return try manager.subpathsOfDirectory(atPath: root).filter { path in
            var isFolder = false
            return manager.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder) && !isFolder
        }.sorted()
    }

    /// Makes every file as old as the grace period wants.
    func age(seconds: Int64 = 7200) throws {
        let old = Date(timeIntervalSinceNow: -Double(seconds))
        for part in ["content", "incoming"] {
            for file in try files(part) {
                try FileManager.default.setAttributes(
                    [.modificationDate: old], ofItemAtPath: "\(folder)/\(part)/\(file)")
            }
        }
    }

    func path(of digest: String) -> String { "\(folder)/content/\(digest.prefix(2))/\(digest.dropFirst(2))" }
}

private func removeFolder(_ folder: String) {
    do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
}

/// The reason of a refusal; nil where there was none.
func reason(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch let error as PluginError {
        return error.reason
    } catch {
        return "\(error)"
    }
}

/// Bytes that look like nothing, the same for the same seed.
func noise(_ count: Int, seed: UInt64) -> Data {
    var state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493
    var bytes = Data(capacity: count)
    for _ in 0..<count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        bytes.append(UInt8(truncatingIfNeeded: state))
    }
    return bytes
}
