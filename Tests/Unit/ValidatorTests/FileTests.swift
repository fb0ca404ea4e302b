// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import Testing
import TheatreManifest

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

    /// Makes the entry that says how many relocations are simple, which none must have, another one.
    private func become(_ tag: Int, _ value: Int, _ bytes: inout [UInt8]) throws {
        let at = try entry(0x6FFF_FFF9, in: bytes)
        put(tag, at, 8, &bytes)
        put(value, at + 8, 8, &bytes)
    }

    private func put(_ value: Int, _ at: Int, _ size: Int, _ bytes: inout [UInt8]) {
        for index in 0..<size { bytes[at + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }

    @Test func codeThatIsWrittenAtLoadIsFound() throws {
        #expect(try reasons { try become(22, 0, &$0) } == ["validator.elf_text_relocation"])
    }

    @Test func aSearchPathThatIsNoSystemsIsFound() throws {
        // The first name in the table of strings, which is no folder.
        #expect(try reasons { try become(15, 1, &$0) } == ["validator.elf_search_path"])
    }

    /// What a symbol of the program's can be taken from: one that is no mark of the linker's.
    static let hostSymbol: String? = {
        let bytes = (try? Data(contentsOf: URL(filePath: "\(BuiltLibraries.folder)/theatre"))).map { [UInt8]($0) } ?? []
        let marks = ["__bss_start", "_edata", "_end", "environ", "stdin", "stdout", "stderr"]
        return (try? ELFFile(bytes))?.exports.first { !marks.contains($0) }
    }()

    @Test(.enabled(if: hostSymbol != nil, "the program exports nothing that could be taken"))
    func aSymbolOfTheHostsIsFound() throws {
        let name = Array(try #require(Self.hostSymbol).utf8)
        let found = try reasons { bytes in
            // A longer table of strings at the end of the file, whose last one some imported symbol now has for a name.
            let headers = word(bytes, 40, 8), size = word(bytes, 58, 2)
            let symbols = try #require(
                (0..<word(bytes, 60, 2)).map { headers + $0 * size }.first { word(bytes, $0 + 4, 4) == 11 })
            let strings = headers + word(bytes, symbols + 40, 4) * size
            let (start, length) = (word(bytes, strings + 24, 8), word(bytes, strings + 32, 8))
            let table = word(bytes, symbols + 24, 8), count = word(bytes, symbols + 32, 8) / 24
            let taken = try #require(
                (1..<count).map { table + $0 * 24 }.first {
                    bytes[$0 + 4] >> 4 == 1 && word(bytes, $0 + 6, 2) == 0
                })
            put(length, taken, 4, &bytes)
            put(bytes.count, strings + 24, 8, &bytes)
            put(length + name.count + 1, strings + 32, 8, &bytes)
            bytes += Array(bytes[start..<start + length]) + name + [0]
        }
        #expect(found == ["validator.elf_host_symbol"])
    }

    @Test func contractsThatAreNoneAreUnreadable() throws {
        let contracts = [UInt8](
            try Data(contentsOf: URL(filePath: "\(BuiltLibraries.root)/Tests/Fixtures/Good/contracts.binpb")))
        let found = try reasons { bytes in
            let start = try #require(
                (0..<bytes.count - contracts.count).first { bytes[$0..<$0 + contracts.count].elementsEqual(contracts) })
            for index in start..<start + 64 { bytes[index] = 0xFF }
        }
        #expect(found == ["validator.unreadable"])
    }

    @Test func aConfigurationThatDoesNotFitTheSchemaIsFound() throws {
        let verdict = try BuiltLibraries.verdict("Brittle", "manifest", .object(["depth": .integer(77)]))
        #expect(verdict.reasons == ["validator.configuration"])
    }

    @Test func aFileThatIsNoLibraryIsSaidToBeNone() throws {
        let copy = try Copy { $0 = Array("this is no library".utf8) }
        let report = try Validation(library: copy.path, seed: 1, program: "\(BuiltLibraries.folder)/theatre").run()
        #expect(report.verdicts.map(\.id) == ["file"])
        #expect(report.verdicts.flatMap(\.reasons) == ["plugin.not_a_library"])
    }
}
