// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Runtime

/// Sections, exports and build id out of bytes that nobody vouches for.
@Suite struct ELFFileTests {
    private var sound: SyntheticELF {
        var elf = SyntheticELF.plugin("Good", manifest: "{}", contracts: [1, 2, 3])
        elf.buildID = [0xAB, 0xCD]
        return elf
    }

    @Test func whatWasWrittenIsRead() throws {
        let file = try ELFFile(sound.bytes)
        #expect(file.machine == sound.machine)
        #expect(file.section(".theatre.manifest").map(Array.init) == Array("{}".utf8))
        #expect(file.section(".theatre.contracts").map(Array.init) == [1, 2, 3])
        #expect(file.section(".nothing") == nil)
        #expect(file.exports == ["theatre_plugin_v1_Good"])
        #expect(file.buildID == [0xAB, 0xCD])
    }

    @Test(arguments: [
        ([UInt8](), "is not an ELF file"), (Array("#!/bin/sh\n".utf8), "is not an ELF file"),
        ([0x7F, 0x45, 0x4C, 0x46, 1, 1] + Array(repeating: 0, count: 100), "is not a 64-bit little-endian ELF file"),
        ([0x7F, 0x45, 0x4C, 0x46, 2, 2] + Array(repeating: 0, count: 100), "is not a 64-bit little-endian ELF file"),
    ])
    func otherFilesAreRefused(_ bytes: [UInt8], _ reason: String) {
        #expect(throws: ELFFile.Malformed.self) { try ELFFile(bytes) }
        do { _ = try ELFFile(bytes) } catch { #expect(error.description == reason) }
    }

    @Test func aProgramIsNoLibrary() {
        var elf = sound
        elf.type = 2
        do {
            _ = try ELFFile(elf.bytes)
            Issue.record("a program was taken for a library")
        } catch { #expect(error.description == "is not a shared library") }
    }

    @Test func everyCutIsReadOrRefusedAndNeverReadBeyond() {
        let bytes = sound.bytes
        for length in 0..<bytes.count { touch(Array(bytes[..<length])) }
    }

    @Test(arguments: 1...8) func damagedBytesAreReadOrRefused(_ seed: UInt64) {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let bytes = sound.bytes
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0...random(4) {
                let place = random(2) == 0 ? random(64) : bytes.count - 1 - random(min(400, bytes.count))
                damaged[place] = random(3) == 0 ? 0xFF : UInt8(random(256))
            }
            touch(damaged)
        }
    }

    /// Reads everything there is to read.
    private func touch(_ bytes: [UInt8]) {
        guard let file = try? ELFFile(bytes) else { return }
        _ = file.exports
        _ = file.buildID
        _ = file.section(".theatre.manifest").map(Array.init)
    }
}
