// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

extension TimeZoneRules {
    /// Where the system keeps its time zones.
    public static let systemFolder = "/usr/share/zoneinfo"

    /// Reads a zone of the system's database by its IANA name; the empty name is UTC. Blocks for one small read.
    ///
    /// - Throws: ``ScheduleError`` at `/time_zone`.
    public init(named name: String, in folder: String = Self.systemFolder) throws(ScheduleError) {
        if name.isEmpty || name == "UTC" {
            self = .utc
            return
        }
        let expected = "an IANA name such as Asia/Shanghai is expected"
        let isName = name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            part.utf8.first.map { $0 < 128 && Character(UnicodeScalar($0)).isLetter } == true
                && part.utf8.allSatisfy { byte in
                    byte < 128 && (Character(UnicodeScalar(byte)).isLetter || (48...57).contains(byte))
                        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
                }
        }
        guard name.utf8.count <= 64, isName else {
            throw ScheduleError("/time_zone", "The time zone is \"\(name.prefix(64))\"; \(expected).")
        }
        let bytes: [UInt8]
        do { bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))) } catch {
            throw ScheduleError(
                "/time_zone",
                "The time zone \"\(name)\" is not among those of \(folder); \(expected), with the package tzdata installed."
            )
        }
        do throws(TZifError) { self = try TimeZoneRules(tzif: bytes) } catch {
            throw ScheduleError("/time_zone", "\(folder)/\(name) is no time zone of TZif version 2 or later.")
        }
    }

    /// Reads a TZif file, RFC 9636, of version 2 or later.
    init(tzif bytes: [UInt8]) throws(TZifError) {
        var reader = ByteReader(bytes)
        let old = try TZifHeader(&reader)
        guard old.version >= UInt8(ascii: "2") else { throw .malformed }
        try reader.skip(old.size(timeBytes: 4))
        let header = try TZifHeader(&reader)
        var instants: [Int64] = []
        for _ in 0..<header.times { instants.append(try reader.int64()) }
        let kinds = [UInt8](try reader.take(header.times))
        var types: [Int] = []
        for _ in 0..<header.types {
            types.append(Int(try reader.int32()))
            try reader.skip(2)
        }
        try reader.skip(header.characters + header.leaps * 12 + header.standards + header.universals)
        guard !types.isEmpty, kinds.allSatisfy({ Int($0) < types.count }),
            zip(instants, instants.dropFirst()).allSatisfy({ $0 < $1 }),
            types.allSatisfy({ abs($0) < Int(Self.day) }), instants.allSatisfy({ $0.magnitude < 1 << 60 })
        else { throw .malformed }
        let footer = String(decoding: reader.rest.dropFirst().prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard reader.rest.first == UInt8(ascii: "\n") else { throw .malformed }
        self.init(
            initial: types[0], instants: instants, offsets: kinds.map { types[Int($0)] },
            rule: footer.isEmpty ? nil : try PosixRule(parsing: footer))
    }
}

private struct TZifHeader {
    let version: UInt8
    let universals, standards, leaps, times, types, characters: Int

    init(_ reader: inout ByteReader) throws(TZifError) {
        guard try reader.take(4).elementsEqual("TZif".utf8) else { throw .malformed }
        version = try reader.byte()
        try reader.skip(15)
        universals = try reader.count()
        standards = try reader.count()
        leaps = try reader.count()
        times = try reader.count()
        types = try reader.count()
        characters = try reader.count()
    }

    func size(timeBytes: Int) -> Int {
        times * (timeBytes + 1) + types * 6 + characters + leaps * (timeBytes + 4) + standards + universals
    }
}
