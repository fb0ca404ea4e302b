// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Reads what ``Tones`` wrote.
struct ToneReader {
    /// What was heard.
    let text: String
    /// Samples of a pitch.
    let length: Int

    /// Nil where the sound is anything but whole and undisturbed tones of ours.
    init?(_ sound: WAV) {
        guard sound.rate == WAV.rate, let length = sound.samples.firstIndex(where: { $0 != 0 }),
            Tones.lengths.contains(length), sound.samples.count % length == 0
        else { return nil }
        let circle = Circle(steps: length)
        var symbols: [UInt8] = []
        for start in stride(from: length, to: sound.samples.count, by: length) {
            guard let symbol = Self.symbol(sound.samples[start..<start + length], circle) else { return nil }
            symbols.append(symbol)
        }
        guard symbols.count % 2 == 0, symbols.count >= 10 else { return nil }
        let bytes = stride(from: 0, to: symbols.count, by: 2).map { symbols[$0] << 4 | symbols[$0 + 1] }
        let body = Array(bytes.dropLast(4))
        var sum: [UInt8] = []
        sum.big(Checksums.crc32(body))
        guard bytes.suffix(4).elementsEqual(sum), let text = String(validating: body, as: UTF8.self) else { return nil }
        self.text = text
        self.length = length
    }

    /// The pitch that nearly all of a stretch is; nil where there is none.
    private static func symbol(_ samples: ArraySlice<Int16>, _ circle: Circle) -> UInt8? {
        let length = samples.count
        let whole = samples.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard whole > 0 else { return nil }
        for symbol in 0..<16 {
            var (sine, cosine) = (0.0, 0.0)
            for (at, sample) in samples.enumerated() {
                let turns = (Tones.lowest + symbol) * at
                sine += Double(sample) * circle.sines[turns % length]
                cosine += Double(sample) * circle.sines[(turns + length / 4) % length]
            }
            // Both projections of a pure pitch have half of its energy times the samples.
            let share = (sine * sine + cosine * cosine) * 2 / (Double(length) * whole)
            if share > 0.8 { return UInt8(symbol) }
        }
        return nil
    }

    /// The milliseconds at which so many bytes of the text have been said.
    func milliseconds(after bytes: Int) -> Int64 { Int64((1 + bytes * 2) * length * 1000 / WAV.rate) }
}
