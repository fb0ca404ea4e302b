// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A picture made of a number: a sky, a sun and four ridges. The same number gives the same pixels everywhere.
struct Landscape {
    private let seed: UInt64
    /// Red, green and blue of 56 colours: sky from the zenith down, the sun, then each ridge from its crest down.
    let palette: [UInt8]

    private static let skyShades = 24
    private static let ridges = 4
    private static let ridgeShades = 6

    init(seed: UInt64) {
        self.seed = seed
        let hue = Int(seed % 360)
        let warm = (hue + 150 + Int(seed >> 16 % 60)) % 360
        var palette: [UInt8] = []
        for shade in 0..<Self.skyShades {
            palette += Self.colour(hue, saturation: 560 - shade * 16, value: 380 + shade * 24)
        }
        for shade in 0..<8 { palette += Self.colour(warm, saturation: 120 + shade * 30, value: 1000) }
        for ridge in 0..<Self.ridges {
            for shade in 0..<Self.ridgeShades {
                palette += Self.colour(
                    hue + ridge * 12, saturation: 300 + ridge * 90, value: 640 - ridge * 150 - shade * 12)
            }
        }
        self.palette = palette
    }

    /// Indices into the palette, row by row from the top.
    ///
    /// - Parameter moment: 0 to 1: the sun sinks and the ridges pass.
    func pixels(width: Int, height: Int, moment: Double = 0) -> [UInt8] {
        let crests = (0..<Self.ridges).map { crest($0, width: width, height: height, moment: moment) }
        let radius = max(2, min(width, height) / 9)
        let sunX = Int(Double(width) * (0.2 + 0.6 * Double(seed >> 8 & 0xFF) / 255))
        let sunY = Int(Double(height) * (0.18 + 0.2 * Double(seed >> 24 & 0xFF) / 255 + 0.25 * moment))
        var pixels = [UInt8](repeating: 0, count: width * height)
        for y in 0..<height {
            let sky = UInt8(y * Self.skyShades / height)
            for x in 0..<width {
                var index = sky
                let distance = (x - sunX) * (x - sunX) + (y - sunY) * (y - sunY)
                if distance < radius * radius {
                    index = UInt8(Self.skyShades + distance * 8 / (radius * radius))
                }
                for ridge in 0..<Self.ridges where y >= crests[ridge][x] {
                    let shade = min(Self.ridgeShades - 1, (y - crests[ridge][x]) * 20 / height)
                    index = UInt8(Self.skyShades + 8 + ridge * Self.ridgeShades + shade)
                }
                pixels[y * width + x] = index
            }
        }
        return pixels
    }

    /// The row at which a ridge begins in each column.
    private func crest(_ ridge: Int, width: Int, height: Int, moment: Double) -> [Int] {
        let base = 0.42 + 0.14 * Double(ridge)
        return (0..<width).map { x in
            let at = Double(x) / Double(width) * (3 + Double(ridge)) + moment * (0.3 + 0.3 * Double(ridge))
            var (sum, size, step) = (0.0, 0.16, 1.0)
            for octave in 0..<4 {
                sum += (noise(at * step, ridge * 8 + octave) - 0.5) * size
                size /= 2
                step *= 2
            }
            return Int(Double(height) * (base + sum))
        }
    }

    /// Smooth noise between 0 and 1.
    private func noise(_ at: Double, _ channel: Int) -> Double {
        let cell = at.rounded(.down), part = at - cell
        let smooth = part * part * (3 - 2 * part)
        let low = lattice(Int(cell), channel), high = lattice(Int(cell) + 1, channel)
        return low + (high - low) * smooth
    }

    private func lattice(_ cell: Int, _ channel: Int) -> Double {
        let hash = StableHash.of(
            kind: UInt8(channel), [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32), UInt32(cell)])
        return Double(hash >> 40) / Double(1 << 24)
    }

    /// A colour by hue in degrees, saturation and value in thousandths.
    private static func colour(_ hue: Int, saturation: Int, value: Int) -> [UInt8] {
        let sector = hue % 360 / 60, part = hue % 60
        let low = value * (1000 - saturation) / 1000
        let falling = value * (1000 - saturation * part / 60) / 1000
        let rising = value * (1000 - saturation * (60 - part) / 60) / 1000
        let mix =
            switch sector {
            case 0: [value, rising, low]
            case 1: [falling, value, low]
            case 2: [low, value, rising]
            case 3: [low, falling, value]
            case 4: [rising, low, value]
            default: [value, low, falling]
            }
        return mix.map { UInt8(max(0, min(255, $0 * 255 / 1000))) }
    }
}
