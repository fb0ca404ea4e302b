// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A telephone number of E.164.
public struct PhoneNumber: Sendable, Hashable {
    /// `+8613800138000`.
    public let text: String

    /// Without the plus.
    public var digits: Substring { text.dropFirst() }

    /// Reads a number as people write it; nil for what cannot be one. Only ASCII figures are figures.
    ///
    /// - Parameter country: the code of numbers that begin with none: `86`. Empty: they are none.
    public init?(_ raw: String, country: String = "") {
        guard raw.utf8.count <= 40 else { return nil }
        var figures = ""
        var isInternational = false
        for (index, scalar) in raw.unicodeScalars.filter({ $0 != " " }).enumerated() {
            switch scalar {
            case "0"..."9": figures.unicodeScalars.append(scalar)
            case "+" where index == 0: isInternational = true
            case "-", "(", ")", ".": continue
            default: return nil
            }
        }
        if !isInternational, figures.hasPrefix("00") {
            figures = String(figures.dropFirst(2))
            isInternational = true
        }
        if !isInternational {
            guard !country.isEmpty else { return nil }
            // The trunk prefix is not dialled from abroad.
            figures = country + figures.drop { $0 == "0" }
        }
        guard (8...15).contains(figures.utf8.count), !figures.hasPrefix("0"), Self.isPlausible(figures) else {
            return nil
        }
        text = "+\(figures)"
    }

    /// The lengths of countries whose plan is simple, so that a slip is not paid for.
    private static func isPlausible(_ figures: String) -> Bool {
        if figures.hasPrefix("86") { return figures.wholeMatch(of: #/861[3-9][0-9]{9}/#) != nil }
        if figures.hasPrefix("1") { return figures.wholeMatch(of: #/1[2-9][0-9]{2}[2-9][0-9]{6}/#) != nil }
        return true
    }
}
