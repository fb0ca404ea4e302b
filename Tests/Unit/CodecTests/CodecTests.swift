// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Testing
import Toolchains

/// The codecs that `theatre plugin codec` writes, against swift-protobuf: the same bytes are a message for both, and become
/// the same bytes again.
@Suite(.serialized) struct CodecTests {
    static let languages = Toolchain.allCases

    /// What swift-protobuf makes of bytes, unknown fields left out as the codecs do.
    private func expected(_ bytes: [UInt8]) -> [UInt8]? {
        var reading = BinaryDecodingOptions()
        reading.discardUnknownFields = true
        var writing = BinaryEncodingOptions()
        writing.useDeterministicOrdering = true
        // That it is refused is what is compared.
        guard let message = try? CodecEverything(serializedBytes: bytes, options: reading) else { return nil }
        return try? message.serializedBytes(options: writing)
    }

    private func check(_ cases: [[UInt8]], _ language: Toolchain) throws -> Int {
        let results = try Driver.built(language).run(cases.map { Driver.Case(bytes: $0) })
        var accepted = 0
        for (bytes, result) in zip(cases, results) {
            let wanted = expected(bytes)
            #expect(result == wanted, "\(language) of \(bytes)")
            accepted += wanted == nil ? 0 : 1
        }
        return accepted
    }

    @Test(arguments: languages) func everyKindAtItsEdgesIsTheSame(_ language: Toolchain) throws {
        var least = CodecEverything()
        least.oneInt32 = .min
        least.oneInt64 = .min
        least.oneSint32 = .min
        least.oneSint64 = .min
        least.oneSfixed32 = .min
        least.oneSfixed64 = .min
        least.oneFloat = -0.0
        least.oneDouble = -.infinity
        least.oneColor = .below
        least.maybeString = ""
        least.maybeBool = false
        least.maybeEverything = CodecEverything()
        least.manyInt32 = [.min, 0, .max]
        least.manySint64 = [.min, 0, .max]
        least.manyString = ["", "戏"]
        least.manyEverything = [CodecEverything(), least]
        least.choiceEverything = CodecEverything.with { $0.choiceBytes = Data() }
        var most = CodecEverything()
        most.oneUint32 = .max
        most.oneUint64 = .max
        most.oneFixed32 = .max
        most.oneFixed64 = .max
        most.oneBool = true
        most.oneString = "\u{10FFFF}"
        most.oneColor = .UNRECOGNIZED(77)
        most.maybeFloat = 0
        most.manyColor = [.red, .far, .below, .unspecified]
        most.manyBool = [true, false]
        most.manyDouble = [.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0]
        most.choiceInt32 = 0
        most.type = "a word"
        most.oneEverything = least
        let cases = try [CodecEverything(), least, most].map { try $0.serializedBytes() as [UInt8] }
        #expect(try check(cases, language) == cases.count)
    }

    @Test(arguments: languages) func messagesOfASeedAreTheSame(_ language: Toolchain) throws {
        var bytes = WireBytes(seed: 20_260_101)
        let accepted = try check((0..<3000).map { _ in bytes.everything() }, language)
        #expect(accepted > 2000)
    }

    @Test(arguments: languages) func everyTruncationIsTheSame(_ language: Toolchain) throws {
        var bytes = WireBytes(seed: 7)
        let whole = (0..<40).flatMap { _ in bytes.everything() }
        _ = try check((0..<min(whole.count, 1500)).map { Array(whole[..<$0]) }, language)
    }

    @Test(arguments: languages) func damagedMessagesAreTheSame(_ language: Toolchain) throws {
        var bytes = WireBytes(seed: 42)
        let cases = (0..<6000).map { _ in bytes.damaged(bytes.everything()) } + (0..<3000).map { _ in bytes.noise() }
        let accepted = try check(cases, language)
        #expect(accepted > 300 && accepted < cases.count - 300)
    }

    @Test(arguments: languages) func nestingEndsWhereItDoesInSwift(_ language: Toolchain) throws {
        let bytes = WireBytes(seed: 0)
        let cases = [1, 98, 99, 100, 101, 5000].flatMap { depth -> [[UInt8]] in
            let messages = (0..<depth).reduce([UInt8]()) { inner, _ in bytes.field(17, 2) + bytes.delimited(inner) }
            let groups =
                (0..<depth).flatMap { _ in bytes.field(99, 3) } + (0..<depth).flatMap { _ in bytes.field(99, 4) }
            return [messages, groups]
        }
        let accepted = try check(cases, language)
        #expect(accepted > 0 && accepted < cases.count)
    }

    @Test(arguments: languages) func hostileLengthsEndNothing(_ language: Toolchain) throws {
        let bytes = WireBytes(seed: 0)
        let lengths: [UInt64] = [1, 0x7FFF_FFFE, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 40, .max >> 1, .max]
        let cases = lengths.flatMap { length in
            [14, 15, 17, 41, 54, 57, 99].map { bytes.field($0, 2) + bytes.varint(length) }
        }
        #expect(try check(cases, language) == 0)
    }

    @Test(arguments: languages) func mapsAreTheSame(_ language: Toolchain) throws {
        var bytes = WireBytes(seed: 11)
        let cases = (0..<2000).map { _ in bytes.maps() }
        let results = try Driver.built(language).run(cases.map { Driver.Case(isMaps: true, bytes: $0) })
        var reading = BinaryDecodingOptions()
        reading.discardUnknownFields = true
        for (bytes, result) in zip(cases, results) {
            let wanted = try? CodecMaps(serializedBytes: bytes, options: reading)
            // Two ways to order entries: what is compared is what they say.
            let got = try result.map { try CodecMaps(serializedBytes: $0) }
            #expect(got.map { Same($0) } == wanted.map { Same($0) }, "\(language) of \(bytes)")
        }
    }

    /// By bytes, for numbers that are none are not equal to themselves.
    private struct Same: Equatable {
        let bytes: [UInt8]?

        init(_ maps: CodecMaps) {
            var writing = BinaryEncodingOptions()
            writing.useDeterministicOrdering = true
            bytes = try? maps.serializedBytes(options: writing)
        }
    }

    @Test func damagedMapsAreTheSameInAllLanguages() throws {
        var bytes = WireBytes(seed: 13)
        let cases = (0..<3000).map { _ in Driver.Case(isMaps: true, bytes: bytes.damaged(bytes.maps())) }
        let all = try Self.languages.map { ($0, try Driver.built($0).run(cases)) }
        guard let (first, wanted) = all.first else { return }
        for (language, results) in all.dropFirst() {
            for (index, result) in results.enumerated() {
                #expect(result == wanted[index], "\(language) and \(first) of \(cases[index].bytes)")
            }
        }
    }
}
