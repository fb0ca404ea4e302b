// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A job's id: all that its video is made of, so that a process that knows nothing of the job can go on with it.
struct VideoJobID: Equatable {
    /// Milliseconds since 1970.
    var createdAt: Int64
    var seed: UInt64
    var milliseconds: UInt32
    var width: UInt16
    var height: UInt16

    /// `vid_`, 48 hexadecimal digits, and 8 by which a mistyped id is known.
    var text: String {
        let body =
            Self.hex(UInt64(bitPattern: createdAt), 16) + Self.hex(seed, 16) + Self.hex(UInt64(milliseconds), 8)
            + Self.hex(UInt64(width), 4) + Self.hex(UInt64(height), 4)
        return "vid_\(body)\(Self.check(body))"
    }

    init(createdAt: Int64, seed: UInt64, milliseconds: UInt32, width: UInt16, height: UInt16) {
        self.createdAt = createdAt
        self.seed = seed
        self.milliseconds = milliseconds
        self.width = width
        self.height = height
    }

    /// Nil for what is no id of ours.
    init?(_ text: String) {
        let digits = Array(text.utf8.dropFirst(4))
        guard text.hasPrefix("vid_"), digits.count == 56 else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        guard part(48..<56) == Self.check(part(0..<48)), let created = UInt64(part(0..<16), radix: 16),
            let seed = UInt64(part(16..<32), radix: 16), let milliseconds = UInt32(part(32..<40), radix: 16),
            let width = UInt16(part(40..<44), radix: 16), let height = UInt16(part(44..<48), radix: 16)
        else { return nil }
        self.init(
            createdAt: Int64(bitPattern: created), seed: seed, milliseconds: milliseconds, width: width, height: height)
    }

    private static func check(_ body: String) -> String { hex(StableHash.of("video \(body)".utf8) & 0xFFFF_FFFF, 8) }

    private static func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
