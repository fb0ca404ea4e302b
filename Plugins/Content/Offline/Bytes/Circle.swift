// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Sines of one turn by additions and products alone, so that they are the same on every machine.
struct Circle {
    /// sin(2π·n/steps) for each n.
    let sines: [Double]

    /// A turn in so many steps.
    init(steps: Int) { sines = (0..<steps).map { Self.sine(Double($0) / Double(steps)) } }

    /// The sine of a part of a turn, 0 to 1.
    static func sine(_ turn: Double) -> Double {
        // In a quarter of a turn the series needs few terms.
        if turn >= 0.5 { return -sine(turn - 0.5) }
        if turn > 0.25 { return sine(0.5 - turn) }
        let x = turn * 2 * .pi
        var (term, sum) = (x, x)
        for step in 1...9 {
            term *= -x * x / Double(2 * step * (2 * step + 1))
            sum += term
        }
        return sum
    }

    /// The sine after so many steps.
    subscript(_ step: Int) -> Double { sines[step % sines.count] }
}
