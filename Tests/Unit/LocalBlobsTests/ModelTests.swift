// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// Random histories against a dictionary.
struct ModelTests {
    @Test(arguments: 0..<6) func theStoreIsADictionary(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let bench = try await Bench(#", "quota_bytes": 20000"#)
        let blobs = bench.blobs()
        var model: [String: Data] = [:]
        func etag(_ bytes: Data?) -> String { bytes.map { Hex.encode(Digest.sha256($0)) } ?? "" }
        for _ in 0..<120 {
            let key = ["a", "a/b", "a/c", "b", "é"][Int(random.next() % 5)]
            let current = model[key]
            switch random.next() % 6 {
            case 0, 1, 2:
                let bytes = noise(Int(random.next() % 8000), seed: random.next() % 4)
                var options = BlobOptions(ifAbsent: random.next() % 4 == 0)
                if random.next() % 4 == 0 {
                    options.ifMatch = Bool.random(using: &random) ? etag(current) : etag(bytes)
                }
                let stored = model.values.reduce(0) { $0 + $1.count }
                var expected: String?
                if options.ifAbsent, current != nil {
                    expected = "blob.exists"
                } else if !options.ifMatch.isEmpty, options.ifMatch != etag(current) {
                    expected = "blob.changed"
                } else if bytes.count > current?.count ?? 0, stored - (current?.count ?? 0) + bytes.count > 20_000 {
                    expected = "blob.quota"
                }
                let made = options
                #expect(await reason { try await blobs.put(key, bytes, made) } == expected)
                if expected == nil { model[key] = bytes }
            case 3:
                try await blobs.delete(key)
                model[key] = nil
            case 4:
                if random.next() % 4 == 0 { try bench.age() }
                try await bench.host.fire(timer: "sweep", on: "blobs")
            default:
                let offset = Int64(random.next() % 4000)
                let found = await reason {
                    var read = Data()
                    for try await piece in try await blobs.stream(key, offset: offset) { read += piece }
                    #expect(read == current?.dropFirst(Int(offset)))
                }
                let isThere = current.map { offset < Int64($0.count) || (offset == 0 && $0.isEmpty) }
                #expect(found == (isThere == nil ? "blob.unknown" : isThere == true ? nil : "blob.range"))
            }
            let usage = try await bench.usage()
            #expect(usage == Int64(model.values.reduce(0) { $0 + $1.count }))
        }
        #expect(
            try await blobs.list().blobs.map(\.key) == model.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        for (key, bytes) in model { #expect(try await blobs.get(key, limit: 8000).bytes == bytes) }
        try bench.age()
        try await bench.host.fire(timer: "sweep", on: "blobs")
        #expect(try bench.files().count == Set(model.values).count)
        #expect(bench.host.violations.isEmpty)
    }
}
