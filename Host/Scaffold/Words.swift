// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A name in the ways that languages write names.
struct Words: Sendable, Hashable {
    /// Lower case.
    let words: [String]

    /// Parts `PaymentWeChat`, `path_parameters`, `HTTPKind` and `theatre.http.v1`.
    init(_ name: String) {
        var words: [String] = []
        var word = ""
        let letters = Array(name)
        for (index, letter) in letters.enumerated() {
            guard letter.isLetter || letter.isNumber else {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            let before = index > 0 ? letters[index - 1] : "_"
            let after = index + 1 < letters.count ? letters[index + 1] : "_"
            if letter.isUppercase, !word.isEmpty, before.isLowercase || before.isNumber || after.isLowercase {
                words.append(word)
                word = ""
            }
            word += letter.lowercased()
        }
        if !word.isEmpty { words.append(word) }
        self.words = words
    }

    /// `path_parameters`.
    var snake: String { words.joined(separator: "_") }
    /// `path-parameters`.
    var kebab: String { words.joined(separator: "-") }
    /// `PATH_PARAMETERS`.
    var constant: String { snake.uppercased() }
    /// `PathParameters`.
    var pascal: String { words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() }
    /// `pathParameters`.
    var camel: String {
        guard let first = words.first else { return "" }
        return first + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
