// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A text as tones: each half of a byte of its UTF-8 is one of sixteen pitches, after as much silence as a pitch lasts,
/// and with the text's CRC-32 at the end.
struct Tones {
    /// Samples of a pitch as people speak: 20 ms.
    static let plainLength = 160
    /// What a pitch may last, at speeds of 4 to 0.25.
    static let lengths = 40...640
    /// The deepest pitch, in turns within one pitch's samples; fifteen more lie above it, a turn apart.
    static let lowest = 4

    private let symbols: [UInt8]
    private let length: Int
    private let circle: Circle

    init(_ text: String, speed: Double) {
        let bytes = Array(text.utf8)
        var sum: [UInt8] = []
        sum.big(Checksums.crc32(bytes))
        symbols = (bytes + sum).flatMap { [$0 >> 4, $0 & 0xF] }
        length = min(
            max(Int((Double(Self.plainLength) / speed).rounded()), Self.lengths.lowerBound), Self.lengths.upperBound)
        circle = Circle(steps: length)
    }

    /// All of it, silence included.
    var sampleCount: Int { (symbols.count + 1) * length }

    /// Milliseconds of all of it.
    var milliseconds: Int64 { Int64(sampleCount * 1000 / WAV.rate) }

    /// How many pieces `bytes(of:)` gives.
    var pieces: Int { symbols.count + 1 }

    /// The samples of a piece as bytes: silence, then a pitch each.
    func bytes(of piece: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length * 2)
        for sample in 0..<length {
            guard piece > 0 else {
                bytes += [0, 0]
                continue
            }
            // A quarter of a turn ahead, so that a pitch begins with a sound.
            let turns = (Self.lowest + Int(symbols[piece - 1])) * sample
            let value = circle.sines[turns % length]
            let ahead = circle.sines[(turns + length / 4) % length]
            bytes.little(Int((value + ahead) * 8000), 2)
        }
        return bytes
    }
}
