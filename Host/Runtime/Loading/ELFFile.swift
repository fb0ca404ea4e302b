// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What the host reads of a shared library before anything of it runs: named sections, exported symbols, build id.
///
/// Reads 64-bit little-endian ELF out of bytes that nobody vouches for: every offset is checked.
package struct ELFFile {
    /// Why the bytes are refused.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String
    }

    /// `e_machine`: 62 is x86-64, 183 is aarch64.
    let machine: UInt16
    let bytes: [UInt8]
    let sections: [Section]

    struct Section {
        var name: String
        var type: UInt32
        var offset: Int
        var size: Int
        var link: Int
    }

    package init(_ bytes: [UInt8]) throws(Malformed) {
        self.bytes = bytes
        guard bytes.count >= 64, bytes[0..<4].elementsEqual([0x7F, 0x45, 0x4C, 0x46]) else {
            throw Malformed(description: "is not an ELF file")
        }
        guard bytes[4] == 2, bytes[5] == 1 else {
            throw Malformed(description: "is not a 64-bit little-endian ELF file")
        }
        guard Self.integer(bytes, 16, UInt16.self) == 3 else { throw Malformed(description: "is not a shared library") }
        machine = Self.integer(bytes, 18, UInt16.self) ?? 0
        sections = try Self.readSections(bytes)
    }

    /// The bytes of a section, or nil where there is none of that name.
    package func section(_ name: String) -> ArraySlice<UInt8>? {
        sections.first { $0.name == name }.flatMap(content)
    }

    /// Names of the defined global symbols it exports.
    package var exports: [String] {
        guard let table = sections.first(where: { $0.type == 11 }), sections.indices.contains(table.link),
            let symbols = content(table), let strings = content(sections[table.link])
        else { return [] }
        return stride(from: symbols.startIndex, to: symbols.endIndex - 23, by: 24).compactMap { start in
            let isGlobal = bytes[start + 4] >> 4 != 0
            let isDefined = (Self.integer(bytes, start + 6, UInt16.self) ?? 0) != 0
            guard isGlobal, isDefined, let name = Self.integer(bytes, start, UInt32.self) else { return nil }
            return Self.string(strings, Int(name))
        }
    }

    /// The GNU build id, or empty.
    var buildID: [UInt8] {
        guard let note = section(".note.gnu.build-id"), note.count > 16 else { return [] }
        let size = Int(Self.integer(bytes, note.startIndex + 4, UInt32.self) ?? 0)
        return Array(note.dropFirst(16).prefix(size))
    }

    func content(_ section: Section) -> ArraySlice<UInt8>? {
        guard section.type != 8, section.offset >= 0, section.size >= 0, section.offset <= bytes.count,
            section.size <= bytes.count - section.offset
        else { return nil }
        return bytes[section.offset..<section.offset + section.size]
    }

    private static func readSections(_ bytes: [UInt8]) throws(Malformed) -> [Section] {
        let broken = Malformed(description: "has a broken section table")
        guard let start = offset(bytes, 40), let size = integer(bytes, 58, UInt16.self), size == 64,
            let count = integer(bytes, 60, UInt16.self), let names = integer(bytes, 62, UInt16.self),
            start <= bytes.count, Int(count) * 64 <= bytes.count - start, names < count
        else { throw broken }
        func header(_ index: Int) -> (name: UInt32, section: Section)? {
            let at = start + index * 64
            guard let name = integer(bytes, at, UInt32.self), let type = integer(bytes, at + 4, UInt32.self),
                let place = offset(bytes, at + 24), let length = offset(bytes, at + 32),
                let link = integer(bytes, at + 40, UInt32.self)
            else { return nil }
            return (name, Section(name: "", type: type, offset: place, size: length, link: Int(link)))
        }
        guard let table = header(Int(names))?.section, table.offset <= bytes.count,
            table.size <= bytes.count - table.offset
        else { throw broken }
        let strings = bytes[table.offset..<table.offset + table.size]
        var sections: [Section] = []
        for index in 0..<Int(count) {
            guard let (name, found) = header(index) else { throw broken }
            var section = found
            section.name = string(strings, Int(name)) ?? ""
            sections.append(section)
        }
        return sections
    }

    static func integer<T: FixedWidthInteger>(_ bytes: [UInt8], _ at: Int, _ type: T.Type) -> T? {
        guard at >= 0, at <= bytes.count - MemoryLayout<T>.size else { return nil }
        return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
    }

    /// A 64-bit offset or size that fits an Int.
    static func offset(_ bytes: [UInt8], _ at: Int) -> Int? {
        integer(bytes, at, UInt64.self).flatMap(Int.init(exactly:))
    }

    static func string(_ table: ArraySlice<UInt8>, _ at: Int) -> String? {
        guard at >= 0, at < table.count else { return nil }
        let start = table.startIndex + at
        guard let end = table[start...].firstIndex(of: 0) else { return nil }
        return String(validating: table[start..<end], as: UTF8.self)
    }
}
