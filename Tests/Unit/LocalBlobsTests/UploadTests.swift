// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// Blobs in parts.
struct UploadTests {
    private func begin(_ store: BlobStoreClient, _ key: String = "big", sha256: String = "") async throws -> String {
        try await store.createUpload(
            .with {
                $0.start.key = key
                $0.start.contentType = "video/mp4"
                $0.start.sha256 = sha256
            }
        ).uploadID
    }

    @discardableResult
    private func part(_ store: BlobStoreClient, _ id: String, _ number: UInt32, _ bytes: Data) async throws
        -> BlobPartInfo
    {
        let call = try await store.putPart()
        try await call.send(
            .with {
                $0.start.uploadID = id
                $0.start.number = number
            })
        for start in stride(from: 0, to: bytes.count, by: 50_000) {
            try await call.send(.with { $0.data = bytes[start..<min(start + 50_000, bytes.count)] })
        }
        call.finish()
        for try await info in call.responses { return info }
        throw PluginError(.unknown, "test.no_answer", "No answer came.")
    }

    @Test func partsInAnyOrderMakeTheBlob() async throws {
        let bench = try await Bench()
        let store = bench.store()
        let pieces = (0..<3).map { noise(200_000 + $0, seed: UInt64($0)) }
        let whole = pieces.reduce(Data(), +)
        let id = try await begin(store, sha256: Hex.encode(Digest.sha256(whole)))
        for number in [3, 1, 2] { try await part(store, id, UInt32(number), noise(number, seed: 9)) }
        for number in [2, 3, 1] { try await part(store, id, UInt32(number), pieces[number - 1]) }
        #expect(try await store.listParts(.with { $0.uploadID = id }).parts.map(\.number) == [1, 2, 3])
        let info = try await store.completeUpload(.with { $0.uploadID = id })
        #expect(info.size == Int64(whole.count) && info.contentType == "video/mp4")
        #expect(try await bench.blobs().get("big", limit: 1 << 20).bytes == whole)
        #expect(try await store.completeUpload(.with { $0.uploadID = id }) == info)
        #expect(await reason { try await part(store, id, 1, Data()) } == "blob.unknown_upload")
        try bench.age()
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try bench.files().count == 1)
        #expect(try await bench.usage() == Int64(whole.count))
    }

    @Test func aWrongPartOrDigestMakesNothing() async throws {
        let bench = try await Bench()
        let store = bench.store()
        let id = try await begin(store, sha256: String(repeating: "a", count: 64))
        #expect(await reason { _ = try await store.completeUpload(.with { $0.uploadID = id }) } == "blob.part_missing")
        var first = try await part(store, id, 1, Data("one".utf8))
        #expect(await reason { _ = try await store.completeUpload(.with { $0.uploadID = id }) } == "blob.digest")
        first.etag = "00"
        let wrong = first
        #expect(
            await reason {
                _ = try await store.completeUpload(
                    .with {
                        $0.uploadID = id; $0.parts = [wrong]
                    })
            } == "blob.part_missing")
        #expect(try await bench.blobs().stat("big") == nil)
    }

    @Test func abortedAndExpiredUploadsFreeTheirBytes() async throws {
        let bench = try await Bench()
        let store = bench.store()
        let aborted = try await begin(store)
        try await part(store, aborted, 1, noise(100, seed: 1))
        #expect(try await bench.usage() == 100)
        #expect(
            await reason { _ = try await bench.store(as: "x").listParts(.with { $0.uploadID = aborted }) }
                == "blob.unknown_upload")
        _ = try await bench.store(as: "x").abortUpload(.with { $0.uploadID = aborted })
        #expect(try await bench.usage() == 100)
        _ = try await store.abortUpload(.with { $0.uploadID = aborted })
        #expect(try await bench.usage() == 0)
        let expired = try await begin(store)
        try await part(store, expired, 1, noise(50, seed: 1))
        bench.host.advance(milliseconds: 7 * 86_400_000)
        #expect(await reason { try await part(store, expired, 2, Data()) } == "blob.unknown_upload")
        try bench.age()
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try await bench.usage() == 0)
        #expect(try bench.files().isEmpty)
    }
}

extension Bench {
    func usage(of instance: String = "drafting") async throws -> Int64 {
        try await BlobRows(host.scope(as: "blobs"), configuration()).usage(
            of: BlobOwner(tenant: "default", instance: instance))
    }
}
