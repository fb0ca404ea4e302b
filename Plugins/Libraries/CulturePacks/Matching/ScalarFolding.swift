// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Reads letters as what they are compared by: one case, one form, without the marks that writers may leave out.
///
/// Alphabets lose case, accents and the marks of transliteration; Arabic loses vowel signs and the stretching tatweel,
/// and its alifs, yehs, hamzas on a seat and final forms become one each; invisible joiners and direction marks are
/// passed over; and each pack adds letters of its own, such as traditional forms of Han characters.
struct ScalarFolding: Sendable {
    private let variants: [UInt32: UInt32]

    /// - Parameter variants: two letters a text; the first is read as the second.
    init(_ variants: [String]) {
        var table: [UInt32: UInt32] = [:]
        for pair in variants {
            let scalars = pair.scalarValues
            if scalars.count == 2 { table[scalars[0]] = scalars[1] }
        }
        self.variants = table
    }

    /// A text as it is compared.
    func fold(_ text: String) -> FoldedText {
        var folded = FoldedText(scalars: text.scalarValues)
        folded.keys.reserveCapacity(folded.scalars.count)
        folded.places.reserveCapacity(folded.scalars.count)
        for (place, scalar) in folded.scalars.enumerated() {
            if scalar < 0x80 {
                folded.append((0x41...0x5A).contains(scalar) ? scalar + 32 : scalar, place)
            } else if (0x3000...0xD7FF).contains(scalar) {
                folded.append(variants.isEmpty ? scalar : variants[scalar] ?? scalar, place)
            } else if !LetterForms.isPassedOver(scalar) {
                append(scalar, place, &folded)
            }
        }
        return folded
    }

    private func append(_ scalar: UInt32, _ place: Int, _ folded: inout FoldedText) {
        if (0xFEF5...0xFEFC).contains(scalar) {
            // One sign for lam and alif.
            folded.append(0x644, place)
            folded.append(0x627, place)
            return
        }
        let plain = LetterForms.plain[scalar] ?? Self.lowercase(scalar)
        folded.append(variants[plain] ?? plain, place)
    }

    /// Greek, Cyrillic and the like; a letter whose small form is several stays as it is.
    private static func lowercase(_ value: UInt32) -> UInt32 {
        guard (0x370...0x58F).contains(value) || (0x10A0...0x1FFF).contains(value), let scalar = Unicode.Scalar(value),
            scalar.properties.changesWhenLowercased
        else { return value }
        let small = scalar.properties.lowercaseMapping.unicodeScalars
        return small.count == 1 ? small.first?.value ?? value : value
    }
}

/// A text and how it is compared: each key comes from the scalar at its place.
struct FoldedText: Sendable {
    /// The text as written.
    let scalars: [UInt32]
    /// What is compared.
    var keys: [UInt32] = []
    /// Where each key stands in `scalars`.
    var places: [Int] = []

    init(scalars: [UInt32]) { self.scalars = scalars }

    mutating func append(_ key: UInt32, _ place: Int) {
        keys.append(key)
        places.append(place)
    }

    /// Whether a new scalar begins at this key, or the text ends.
    func isBoundary(_ index: Int) -> Bool {
        index == 0 || index == keys.count || places[index] != places[index - 1]
    }

    /// Where keys stand in the text as written, with the marks that sit on the last of them.
    func range(_ keys: Range<Int>) -> Range<Int> {
        var end = places[keys.upperBound - 1] + 1
        while end < scalars.count, LetterForms.isMark(scalars[end]) { end += 1 }
        return places[keys.lowerBound]..<end
    }
}

extension String {
    /// The values of the scalars.
    var scalarValues: [UInt32] { unicodeScalars.map(\.value) }

    /// Text from scalar values; what is no scalar is left out.
    init(scalarValues: some Sequence<UInt32>) {
        var view = String.UnicodeScalarView()
        for value in scalarValues { if let scalar = Unicode.Scalar(value) { view.append(scalar) } }
        self.init(view)
    }
}
