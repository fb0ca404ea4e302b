// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension ELFFile {
    /// What a library asks of the loader.
    package struct Dynamic: Sendable {
        /// `DT_NEEDED`, in order.
        package var needed: [String] = []
        /// `DT_RPATH` and `DT_RUNPATH`.
        package var searchPaths: [String] = []
        /// Every relocation is done before the library is used.
        package var bindsNow = false
        /// Relocations write into code.
        package var relocatesText = false
        /// `DT_FLAGS_1` has `NODELETE`: it is never unmapped.
        package var isNeverUnmapped = false
    }

    /// The dynamic section, read from the section table.
    package var dynamic: Dynamic {
        var found = Dynamic()
        guard let section = sections.first(where: { $0.type == 6 }), let content = content(section),
            sections.indices.contains(section.link), let strings = self.content(sections[section.link])
        else { return found }
        for start in stride(from: content.startIndex, to: content.endIndex - 15, by: 16) {
            guard let tag = Self.integer(bytes, start, UInt64.self),
                let value = Self.integer(bytes, start + 8, UInt64.self)
            else { continue }
            let text = Int(exactly: value).flatMap { Self.string(strings, $0) } ?? ""
            switch tag {
            case 0: return found
            case 1: found.needed.append(text)
            case 15, 29: found.searchPaths.append(text)
            case 22: found.relocatesText = true
            case 24: found.bindsNow = true
            case 30:
                if value & 8 != 0 { found.bindsNow = true }
                if value & 4 != 0 { found.relocatesText = true }
            case 0x6FFF_FFFB:
                if value & 1 != 0 { found.bindsNow = true }
                if value & 8 != 0 { found.isNeverUnmapped = true }
            default: break
            }
        }
        return found
    }

    /// A part of the file that is mapped, or a mark for the loader.
    package struct Segment: Sendable {
        /// `p_type`: 1 is LOAD, 0x6474e551 GNU_STACK, 0x6474e552 GNU_RELRO.
        package var type: UInt32
        /// 1 execute, 2 write, 4 read.
        package var flags: UInt32
    }

    /// The program headers.
    package var segments: [Segment] {
        guard let start = Self.offset(bytes, 32), let size = Self.integer(bytes, 54, UInt16.self), size == 56,
            let count = Self.integer(bytes, 56, UInt16.self)
        else { return [] }
        return (0..<Int(count)).compactMap { index in
            guard let type = Self.integer(bytes, start + index * 56, UInt32.self),
                let flags = Self.integer(bytes, start + index * 56 + 4, UInt32.self)
            else { return nil }
            return Segment(type: type, flags: flags)
        }
    }

    /// Names of the symbols that others must define; weak ones may stay undefined.
    package var imports: (strong: [String], weak: [String]) {
        guard let table = sections.first(where: { $0.type == 11 }), sections.indices.contains(table.link),
            let symbols = content(table), let strings = content(sections[table.link])
        else { return ([], []) }
        var found: (strong: [String], weak: [String]) = ([], [])
        for start in stride(from: symbols.startIndex, to: symbols.endIndex - 23, by: 24) {
            guard Self.integer(bytes, start + 6, UInt16.self) == 0, let at = Self.integer(bytes, start, UInt32.self),
                let name = Self.string(strings, Int(at)), !name.isEmpty
            else { continue }
            if bytes[start + 4] >> 4 == 2 { found.weak.append(name) } else { found.strong.append(name) }
        }
        return found
    }
}
