// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The parts of a text between its headings, each with the headings above it.
struct TextSection: Sendable, Hashable {
    /// In Unicode scalars, its heading at the start.
    var range: Range<Int>
    /// Outermost first.
    var path: [String]

    /// The sections of a text: they follow each other without a gap and cover it.
    static func sections(_ headings: [ExtractedText.Heading], length: Int) -> [TextSection] {
        var sections: [TextSection] = []
        var above: [ExtractedText.Heading] = []
        var start = 0
        for heading in headings where heading.start >= start && heading.start < length {
            if heading.start > start {
                sections.append(TextSection(range: start..<heading.start, path: above.map(\.title)))
            }
            above.removeAll { $0.level >= heading.level }
            above.append(heading)
            start = heading.start
        }
        if start < length { sections.append(TextSection(range: start..<length, path: above.map(\.title))) }
        return sections
    }
}
