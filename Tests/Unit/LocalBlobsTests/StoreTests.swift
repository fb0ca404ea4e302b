// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// Whole blobs as plugins see them.
struct StoreTests {
    @Test(arguments: [0, 1, 65_536, 262_144, 262_145, 1_500_000])
    func whatWasPutComesBack(_ size: Int) async throws {
        let bench = try await Bench()
        let bytes = noise(size, seed: 7)
        let put = try await bench.blobs().put(
            "a/b.bin", bytes, BlobOptions(contentType: "image/png", metadata: ["who": "张三"]))
        #expect(put.size == Int64(size) && put.etag == Hex.encode(Digest.sha256(bytes)))
        let (info, back) = try await bench.blobs().get("a/b.bin", limit: size)
        #expect(info == put && back == bytes)
        #expect(info.contentType == "image/png" && info.metadata == ["who": "张三"] && info.modifiedAt == bench.host.now)
        #expect(try bench.files("incoming").isEmpty && bench.files().count == 1)
        #expect(bench.host.violations.isEmpty)
    }

    @Test func keysBelongToInstanceAndTenant() async throws {
        let bench = try await Bench()
        try await bench.blobs().put("k", Data("mine".utf8))
        #expect(try await bench.blobs(as: "orders").stat("k") == nil)
        #expect(try await bench.blobs(tenant: "other").stat("k") == nil)
        try await bench.blobs(as: "orders").put("k", Data("theirs".utf8))
        #expect(try await bench.blobs().get("k", limit: 100).bytes == Data("mine".utf8))
        try await bench.blobs(as: "orders").delete("k")
        #expect(try await bench.blobs().stat("k")?.size == 4)
        #expect(await reason { try await bench.blobs(tenant: "").put("k", Data()) } == "blob.no_tenant")
    }

    @Test func rangesAreThoseAskedFor() async throws {
        let bench = try await Bench()
        let bytes = noise(300_000, seed: 3)
        try await bench.blobs().put("k", bytes)
        func read(_ offset: Int64, _ length: Int64?) async throws -> Data {
            var all = Data()
            for try await piece in try await bench.blobs().stream("k", offset: offset, length: length) { all += piece }
            return all
        }
        #expect(try await read(0, 1) == bytes.prefix(1))
        #expect(try await read(262_143, 2) == bytes[262_143..<262_145])
        #expect(try await read(-5, nil) == bytes.suffix(5))
        #expect(try await read(299_999, 500) == bytes.suffix(1))
        #expect(try await read(-400_000, 10) == bytes.prefix(10))
        #expect(await reason { _ = try await read(300_000, nil) } == "blob.range")
        #expect(await reason { _ = try await read(0, -1) } == "blob.range")
    }

    @Test func conditionsHold() async throws {
        let bench = try await Bench()
        let blobs = bench.blobs()
        let first = try await blobs.put("k", Data("one".utf8), BlobOptions(ifAbsent: true))
        #expect(await reason { try await blobs.put("k", Data("x".utf8), BlobOptions(ifAbsent: true)) } == "blob.exists")
        #expect(await reason { try await blobs.put("k", Data("x".utf8), BlobOptions(ifMatch: "00")) } == "blob.changed")
        #expect(await reason { try await blobs.put("n", Data(), BlobOptions(ifMatch: first.etag)) } == "blob.changed")
        let second = try await blobs.put("k", Data("two".utf8), BlobOptions(ifMatch: first.etag))
        #expect(await reason { _ = try await blobs.stream("k", ifMatch: first.etag) } == "blob.changed")
        #expect(await reason { try await blobs.delete("k", ifMatch: first.etag) } == "blob.changed")
        try await blobs.delete("k", ifMatch: second.etag)
        try await blobs.delete("k")
        #expect(await reason { _ = try await blobs.get("k", limit: 9) } == "blob.unknown")
    }

    @Test func onlyOneOfManyCreatesABlob() async throws {
        let bench = try await Bench()
        let blobs = bench.blobs()
        let made = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<16 {
                group.addTask {
                    await reason { try await blobs.put("k", Data("\(index)".utf8), BlobOptions(ifAbsent: true)) } == nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 1)
    }

    @Test func announcedBytesAreCheckedAndNothingIsLeft() async throws {
        let bench = try await Bench()
        let wrong = BlobOptions(sha256: String(repeating: "0", count: 64))
        #expect(await reason { try await bench.blobs().put("k", Data("x".utf8), wrong) } == "blob.digest")
        let short = AsyncStream<Data> {
            $0.yield(Data("abc".utf8)); $0.finish()
        }
        #expect(
            await reason { try await bench.blobs().put("k", from: short, BlobOptions(size: 4)) } == "blob.digest")
        struct Broken: Error {}
        let broken = AsyncThrowingStream<Data, any Error> {
            $0.yield(Data("abc".utf8)); $0.finish(throwing: Broken())
        }
        #expect(await reason { try await bench.blobs().put("k", from: broken) } == "Broken()")
        #expect(try await bench.blobs().stat("k") == nil)
        // The store hears of the caller's end by itself.
        while bench.host.callsUnderWay > 0 { await Task.yield() }
        #expect(try bench.files().isEmpty && bench.files("incoming").isEmpty)
    }

    @Test func boundsHold() async throws {
        let bench = try await Bench(
            #", "max_bytes": 100, "quota_bytes": 150, "total_bytes": 220, "content_types": ["image/*", "text/plain"]"#)
        let blobs = bench.blobs()
        let image = BlobOptions(contentType: "image/png")
        #expect(await reason { try await blobs.put("k", noise(101, seed: 1), image) } == "blob.too_large")
        let stream = AsyncStream<Data> {
            $0.yield(noise(60, seed: 1)); $0.yield(noise(60, seed: 2)); $0.finish()
        }
        #expect(await reason { try await blobs.put("k", from: stream, image) } == "blob.too_large")
        #expect(await reason { try await blobs.put("k", Data()) } == "blob.bad_type")
        try await blobs.put("a", noise(100, seed: 1), BlobOptions(contentType: "text/plain; charset=utf-8"))
        #expect(await reason { try await blobs.put("b", noise(60, seed: 1), image) } == "blob.quota")
        // What is replaced or deleted no longer counts.
        try await blobs.put("a", noise(50, seed: 1), image)
        try await blobs.put("b", noise(100, seed: 2), image)
        try await blobs.delete("b")
        try await blobs.put("c", noise(100, seed: 3), image)
        #expect(await reason { try await bench.blobs(as: "x").put("a", noise(71, seed: 4), image) } == "blob.quota")
        try await bench.blobs(as: "x").put("a", noise(70, seed: 4), image)
    }

    @Test(arguments: ["", "/a", "a/", "a//b", ".", "a/../b", "a\nb", String(repeating: "k", count: 513)])
    func badKeysAreRefused(_ key: String) async throws {
        let bench = try await Bench()
        #expect(await reason { try await bench.blobs().put(key, Data()) } == "blob.bad_key")
    }

    @Test func listsAreInOrderAndComplete() async throws {
        let bench = try await Bench()
        let keys = ["a", "a/1", "a/2", "a/张", "a0", "b", "ä", "𠀀", "\u{FFFF}"]
        for key in keys.shuffled() {
            try await bench.blobs().put(
                key, Data(key.utf8), BlobOptions(metadata: ["m": String(repeating: "x", count: 4000)]))
        }
        let sorted = keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(try await bench.blobs().list().blobs.map(\.key) == sorted)
        #expect(try await bench.blobs().list(prefix: "a/").blobs.map(\.key) == ["a/1", "a/2", "a/张"])
        var seen: [String] = []
        var more = true
        while more {
            let page = try await bench.blobs().list(after: seen.last ?? "", limit: 2)
            seen += page.blobs.map(\.key)
            more = page.more
        }
        #expect(seen == sorted)
    }

    @Test func damagedFilesAreFoundAndMendedByPuttingAgain() async throws {
        let bench = try await Bench()
        let blobs = bench.blobs()
        for size in [1000, 700_000] {
            let bytes = noise(size, seed: 5)
            let info = try await blobs.put("k", bytes)
            var damaged = bytes
            damaged[size / 2] ^= 1
            try damaged.write(to: URL(filePath: bench.path(of: info.etag)))
            #expect(await reason { _ = try await blobs.get("k", limit: size) } == "blob.corrupt")
            try FileManager.default.removeItem(atPath: bench.path(of: info.etag))
            #expect(await reason { _ = try await blobs.get("k", limit: size) } == "blob.corrupt")
            try await blobs.put("k", bytes)
            #expect(try await blobs.get("k", limit: size).bytes == bytes)
        }
        #expect(bench.host.logs.contains { $0.level == .error })
    }

    @Test func readOnlyFolderIsSaidClearly() async throws {
        let fault = FileFault("create", code: 30).pluginError
        #expect(fault.reason == "blob.read_only" && fault.code == .unavailable)
        #expect(FileFault("write", code: 28).pluginError.reason == "blob.disk_full")
        let bench = try await Bench()
        try await bench.blobs().put("k", Data("here".utf8))
        try FileManager.default.removeItem(atPath: bench.folder + "/incoming")
        #expect(await reason { try await bench.blobs().put("n", Data()) } == "blob.io")
        #expect(try await bench.blobs().get("k", limit: 10).bytes == Data("here".utf8))
    }
}
