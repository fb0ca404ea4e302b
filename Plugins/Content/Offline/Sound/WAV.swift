// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Sound of one channel in 16 bits, as RIFF WAVE holds it.
struct WAV: Equatable {
    /// A second's samples of what we make.
    static let rate = 8000

    var rate: Int
    var samples: [Int16]

    /// The 44 bytes before so many samples.
    static func header(samples: Int) -> [UInt8] {
        var head: [UInt8] = []
        head.letters("RIFF")
        head.little(36 + samples * 2, 4)
        head.letters("WAVEfmt ")
        head.little(16, 4)
        // PCM, one channel.
        head.little(1, 2)
        head.little(1, 2)
        head.little(rate, 4)
        head.little(rate * 2, 4)
        head.little(2, 2)
        head.little(16, 2)
        head.letters("data")
        head.little(samples * 2, 4)
        return head
    }

    /// Reads a file; nil where it is no WAVE of one channel in 16 bits of PCM. Chunks that it does not know are passed over.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 12, bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WAVE".utf8) else {
            return nil
        }
        var (at, rate) = (12, 0)
        while let size = bytes.little(at: at + 4, 4) {
            let name = bytes[at..<at + 4], body = at + 8
            if name.elementsEqual("fmt ".utf8) {
                guard bytes.little(at: body, 2) == 1, bytes.little(at: body + 2, 2) == 1,
                    bytes.little(at: body + 14, 2) == 16, let found = bytes.little(at: body + 4, 4)
                else { return nil }
                rate = found
            } else if name.elementsEqual("data".utf8) {
                guard rate > 0 else { return nil }
                let end = min(body + size, bytes.count)
                self.rate = rate
                samples = stride(from: body, to: end - 1, by: 2).map {
                    Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
                }
                return
            }
            at = body + size + size % 2
        }
        return nil
    }
}
