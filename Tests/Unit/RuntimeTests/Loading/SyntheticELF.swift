// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A shared library as far as the host reads it before loading: sections, exported names, build id.
struct SyntheticELF {
    var sections: [(name: String, bytes: [UInt8])] = []
    var exports: [String] = []
    var buildID: [UInt8] = []
    var machine: UInt16 = 62
    var type: UInt16 = 3

    /// A plugin's library with this manifest.
    static func plugin(_ name: String, manifest: String, contracts: [UInt8] = []) -> SyntheticELF {
        var elf = SyntheticELF()
        elf.sections = [(".theatre.manifest", Array(manifest.utf8))]
        if !contracts.isEmpty { elf.sections.append((".theatre.contracts", contracts)) }
        elf.exports = ["theatre_plugin_v1_\(name)"]
        #if !arch(x86_64)
            elf.machine = 183
        #endif
        return elf
    }

    private struct Header {
        var name: UInt32
        var type: UInt32
        var offset: UInt64
        var size: UInt64
        var link: UInt32
    }

    /// The file.
    var bytes: [UInt8] {
        var body: [UInt8] = Array(repeating: 0, count: 64)
        var names: [UInt8] = [0]
        var headers = [Header(name: 0, type: 0, offset: 0, size: 0, link: 0)]
        func add(_ name: String, _ type: UInt32, _ content: [UInt8], link: UInt32 = 0) {
            headers.append(
                Header(
                    name: UInt32(names.count), type: type, offset: UInt64(body.count), size: UInt64(content.count),
                    link: link))
            names += Array(name.utf8) + [0]
            body += content
        }
        for (name, content) in sections { add(name, 1, content) }
        if !exports.isEmpty {
            let (symbols, strings) = symbolTables
            add(".dynstr", 3, strings)
            add(".dynsym", 11, symbols, link: UInt32(headers.count - 1))
        }
        if !buildID.isEmpty {
            add(
                ".note.gnu.build-id", 7,
                Self.little(UInt32(4)) + Self.little(UInt32(buildID.count)) + Self.little(UInt32(3))
                    + Array("GNU\0".utf8) + buildID)
        }
        add(".shstrtab", 3, names + Array(".shstrtab\0".utf8))
        headers[headers.count - 1].size = UInt64(names.count)
        let start = body.count
        for header in headers { body += Self.encode(header) }
        body.replaceSubrange(0..<64, with: fileHeader(sections: start, count: UInt16(headers.count)))
        return body
    }

    private var symbolTables: (symbols: [UInt8], strings: [UInt8]) {
        var symbols: [UInt8] = Array(repeating: 0, count: 24)
        var strings: [UInt8] = [0]
        for name in exports {
            // Global function, default visibility, section 1.
            symbols += Self.little(UInt32(strings.count)) + [0x12, 0] + Self.little(UInt16(1))
            symbols += Array(repeating: 0, count: 16)
            strings += Array(name.utf8) + [0]
        }
        return (symbols, strings)
    }

    private func fileHeader(sections start: Int, count: UInt16) -> [UInt8] {
        var header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
        header += Self.little(type) + Self.little(machine) + Self.little(UInt32(1))
        header += Array(repeating: 0, count: 16) + Self.little(UInt64(start)) + Self.little(UInt32(0))
        header += [64, 0, 56, 0, 0, 0, 64, 0] + Self.little(count) + Self.little(count - 1)
        return header
    }

    private static func encode(_ header: Header) -> [UInt8] {
        little(header.name) + little(header.type) + Array(repeating: 0, count: 16) + little(header.offset)
            + little(header.size) + little(header.link) + Array(repeating: 0, count: 20)
    }

    private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }
}
