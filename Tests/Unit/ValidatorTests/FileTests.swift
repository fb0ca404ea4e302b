// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import Validator

/// Libraries whose headers were changed after they were linked.
@Suite(.serialized) struct FileTests {
    /// A copy of libGood.so with changed bytes, removed with the value.
    final class Copy {
        let folder: String
        var path: String { "\(folder)/libGood.so" }

        init(_ change: (inout [UInt8]) throws -> Void) throws {
            folder = FileManager.default.temporaryDirectory.path + "/theatre-elf-\(UInt64.random(in: 0 ... .max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(BuiltLibraries.folder)/libGood.so")))
            try change(&bytes)
            try Data(bytes).write(to: URL(filePath: path))
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func word(_ bytes: [UInt8], _ at: Int, _ size: Int) -> Int {
        (0..<size).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }

    /// Where the program header of that type begins.
    private func segment(_ type: Int, in bytes: [UInt8]) throws -> Int {
        let start = word(bytes, 32, 8)
        return try #require((0..<word(bytes, 56, 2)).map { start + $0 * 56 }.first { word(bytes, $0, 4) == type })
    }

    private func reasons(_ change: (inout [UInt8]) throws -> Void) throws -> [String] {
        let copy = try Copy(change)
        var validation = Validation(library: copy.path, seed: 1, program: "\(BuiltLibraries.folder)/theatre")
        validation.only = ["elf"]
        return try validation.run().verdicts.flatMap(\.reasons)
    }

    @Test func anUnchangedCopyIsSound() throws { #expect(try reasons { _ in } == []) }

    @Test func anExecutableStackIsFound() throws {
        #expect(try reasons { $0[try segment(0x6474_E551, in: $0) + 4] |= 1 } == ["validator.elf_stack"])
    }

    @Test func missingRelroIsFound() throws {
        #expect(try reasons { $0[try segment(0x6474_E552, in: $0)] = 0x50 } == ["validator.elf_relro"])
    }

    @Test func writableCodeIsFound() throws {
        let found = try reasons { bytes in
            let start = word(bytes, 32, 8)
            let code = try #require(
                (0..<word(bytes, 56, 2)).map { start + $0 * 56 }.first {
                    word(bytes, $0, 4) == 1 && word(bytes, $0 + 4, 4) & 1 == 1
                })
            bytes[code + 4] |= 2
        }
        #expect(found == ["validator.elf_writable_code"])
    }

    /// The dynamic section is a list of tag and value.
    private func entry(_ tag: Int, in bytes: [UInt8]) throws -> Int {
        let header = try segment(2, in: bytes)
        let start = word(bytes, header + 8, 8)
        let count = word(bytes, header + 32, 8) / 16
        return try #require((0..<count).map { start + $0 * 16 }.first { word(bytes, $0, 8) == tag })
    }

    @Test func aLibraryThatMayBeUnmappedIsFound() throws {
        #expect(try reasons { $0[try entry(0x6FFF_FFFB, in: $0) + 8] &= ~8 } == ["validator.elf_unmapped"])
    }

    @Test func aFileThatIsNoLibraryIsSaidToBeNone() throws {
        let copy = try Copy { $0 = Array("this is no library".utf8) }
        let report = try Validation(library: copy.path, seed: 1, program: "\(BuiltLibraries.folder)/theatre").run()
        #expect(report.verdicts.map(\.id) == ["file"])
        #expect(report.verdicts.flatMap(\.reasons) == ["plugin.not_a_library"])
    }
}
