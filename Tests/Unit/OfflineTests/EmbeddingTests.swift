// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Offline

/// What vectors say about texts.
struct EmbeddingTests {
    private static let triples = [
        ("林冲在草料场烧火，大雪下得正紧。", "大雪正紧，林冲在草料场里烧火。", "州桥夜市卖冰雪冷元子和荔枝膏。"),
        ("The captain read the unsigned letter twice.", "Twice the captain read a letter without a signature.", "Steamed cakes are sold at the festival."),
        ("柳青娘把半个影人放在案上", "半个影人放在柳青娘的案上", "粮船过了东水门的闸"),
    ]

    @Test(arguments: triples)
    func nearTextsAreCloserThanOthers(first: String, near: String, far: String) throws {
        let a = try #require(HashingEmbedder.vector(of: first))
        let b = try #require(HashingEmbedder.vector(of: near))
        let c = try #require(HashingEmbedder.vector(of: far))
        #expect(dot(a, b) > dot(a, c) + 0.2)
        #expect(dot(a, b) > 0.4)
    }

    @Test func aVectorHasLengthOneAndItsDimensions() throws {
        for seed in 0..<40 as Range<UInt64> {
            guard let vector = HashingEmbedder.vector(of: Samples.random(seed: seed, length: 300)) else { continue }
            #expect(vector.count == 256)
            #expect(abs(dot(vector, vector) - 1) < 1e-4)
        }
    }

    @Test(arguments: ["", " ", "。，！", "\u{1F600}"])
    func nothingToCountGivesNoVector(text: String) {
        #expect(HashingEmbedder.vector(of: text) == nil)
    }

    @Test func theVectorIsTheSameForEver() throws {
        let vector = try #require(HashingEmbedder.vector(of: "灯下无影 The lamp casts no shadow"))
        let bytes = vector.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        #expect(StableHash.of(bytes) == Golden.vector)
    }

    @Test func hashesOfBytesAreThoseOfThePaper() {
        // FNV-1a of nothing, mixed: the offset basis through the finalizer.
        #expect(StableHash.of([]) == StableHash.of("".utf8))
        #expect(StableHash.of("a".utf8) != StableHash.of("b".utf8))
    }

    private func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}
