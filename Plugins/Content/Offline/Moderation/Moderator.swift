// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Judges a text by ``ModerationRules``.
struct Moderator {
    /// A category and how much a text is of it, 0 to 1.
    struct Score: Equatable {
        var category: String
        var value: Double
        var isFlagged: Bool
    }

    private let rules: [(name: String, phrases: [Phrase])]

    private struct Phrase {
        var han: [UInt32]
        var stems: [String]
        var doubt: Double
    }

    init() {
        rules = ModerationRules.categories.map { category in
            (
                category.name,
                category.phrases.map { phrase in
                    let isHan = phrase.text.scalarValues.contains(where: Script.isHan)
                    return Phrase(
                        han: isHan ? phrase.text.scalarValues : [],
                        stems: isHan ? [] : Self.stems(SourceText(phrase.text)),
                        doubt: 1 - Double(phrase.weight) / 100)
                }
            )
        }
    }

    /// A score of each category, by name: each phrase that stands there leaves less doubt.
    func judge(_ text: String) -> [Score] {
        // Han writing between which marks or spaces were put is read without them.
        let han = text.scalarValues.filter(Script.isHan)
        let stems = Self.stems(SourceText(text))
        return rules.map { name, phrases in
            let doubt = phrases.reduce(1.0) { doubt, phrase in
                let stands = phrase.han.isEmpty ? Self.holds(stems, phrase.stems) : Self.holds(han, phrase.han)
                return stands ? doubt * phrase.doubt : doubt
            }
            let value = 1 - doubt
            return Score(category: name, value: value, isFlagged: value >= ModerationRules.threshold)
        }
    }

    private static func stems(_ source: SourceText) -> [String] {
        source.words(in: 0..<source.scalars.count).map { SourceText.stem($0.text) }
    }

    private static func holds<Unit: Equatable>(_ text: [Unit], _ phrase: [Unit]) -> Bool {
        guard let first = phrase.first, text.count >= phrase.count else { return false }
        return (0...text.count - phrase.count).contains {
            text[$0] == first && text[$0..<$0 + phrase.count].elementsEqual(phrase)
        }
    }
}
