// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Takes a page apart as browsers do: whatever it is given it gives tokens, and nothing is a fault.
///
/// After the tokenizer of the HTML standard, without its tree: https://html.spec.whatwg.org/#tokenization
struct HTMLTokenizer {
    private let source: [Unicode.Scalar]
    private var place = 0
    private var pending: [Unicode.Scalar] = []
    private var tokens: [HTMLToken] = []

    /// Elements whose contents are no markup, up to their own end tag. In the second kind references are replaced.
    private static let raw: Set<String> = ["script", "style", "xmp", "iframe", "noembed", "noframes"]
    private static let escapable: Set<String> = ["title", "textarea"]

    private init(_ source: String) { self.source = Array(source.unicodeScalars) }

    static func tokens(of source: String) -> [HTMLToken] {
        var tokenizer = HTMLTokenizer(source)
        tokenizer.run()
        return tokenizer.tokens
    }

    private mutating func run() {
        while let scalar = peek() {
            switch scalar {
            case "<": markup()
            case "&": reference()
            default:
                pending.append(scalar)
                place += 1
            }
        }
        flush()
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        place + ahead < source.count ? source[place + ahead] : nil
    }

    private mutating func flush() {
        guard !pending.isEmpty else { return }
        tokens.append(.text(String(String.UnicodeScalarView(pending))))
        pending = []
    }

    // MARK: Markup

    private mutating func markup() {
        switch peek(1) {
        case let next? where next.isASCIILetter:
            place += 1
            tag(isEnd: false)
        case "/":
            if peek(2)?.isASCIILetter == true {
                place += 2
                tag(isEnd: true)
            } else if peek(2) == nil {
                text("</")
            } else {
                skip(past: ">")
            }
        case "!": declaration()
        case "?": skip(past: ">")
        default: text("<")
        }
    }

    private mutating func text(_ characters: String) {
        pending += characters.unicodeScalars
        place += characters.unicodeScalars.count
    }

    /// A comment, a CDATA section, or a declaration: none of them is text.
    private mutating func declaration() {
        if starts(with: "<!--", at: place) {
            place += 4
            // `<!-->` and `<!--->` are whole.
            if peek() == ">" {
                place += 1
            } else if starts(with: "->", at: place) {
                place += 2
            } else {
                comment()
            }
        } else if starts(with: "<![CDATA[", at: place) {
            place += 9
            while place < source.count, !starts(with: "]]>", at: place) {
                pending.append(source[place])
                place += 1
            }
            place = min(source.count, place + 3)
        } else {
            skip(past: ">")
        }
    }

    private mutating func comment() {
        while place < source.count {
            if starts(with: "-->", at: place) {
                place += 3
                return
            }
            if starts(with: "--!>", at: place) {
                place += 4
                return
            }
            place += 1
        }
    }

    private mutating func skip(past end: Unicode.Scalar) {
        while let scalar = peek() {
            place += 1
            if scalar == end { return }
        }
    }

    private func starts(with words: String, at start: Int) -> Bool {
        let words = words.unicodeScalars
        guard start + words.count <= source.count else { return false }
        return zip(source[start...], words).allSatisfy { $0 == $1 }
    }

    // MARK: Tags

    /// From the name on. A tag that the page ends in is dropped, as browsers do.
    private mutating func tag(isEnd: Bool) {
        var name = String.UnicodeScalarView()
        while let scalar = peek(), !scalar.isHTMLSpace, scalar != "/", scalar != ">" {
            name.append(scalar.asciiLowercased)
            place += 1
        }
        guard attributes() else { return }
        flush()
        let tag = String(name)
        tokens.append(isEnd ? .close(tag) : .open(tag))
        if !isEnd, Self.raw.contains(tag) || Self.escapable.contains(tag) { contents(of: tag) }
    }

    /// Past the attributes and the end of the tag; a `>` in quotes does not end it.
    private mutating func attributes() -> Bool {
        while let scalar = peek() {
            place += 1
            switch scalar {
            case ">": return true
            case "=":
                while peek()?.isHTMLSpace == true { place += 1 }
                guard let quote = peek(), quote == "\"" || quote == "'" else { continue }
                place += 1
                skip(past: quote)
            default: continue
            }
        }
        return false
    }

    /// Up to `</tag` and a space, a slash or the end of a tag.
    private mutating func contents(of tag: String) {
        while place < source.count {
            if source[place] == "<", isEnd(of: tag) {
                place += 2
                return self.tag(isEnd: true)
            }
            if source[place] == "&", Self.escapable.contains(tag) {
                reference()
            } else {
                pending.append(source[place])
                place += 1
            }
        }
    }

    private func isEnd(of tag: String) -> Bool {
        guard peek(1) == "/" else { return false }
        var ahead = 2
        for letter in tag.unicodeScalars {
            guard peek(ahead)?.asciiLowercased == letter else { return false }
            ahead += 1
        }
        guard let next = peek(ahead) else { return false }
        return next.isHTMLSpace || next == "/" || next == ">"
    }

    // MARK: References

    private mutating func reference() {
        if let found = HTMLReference.read(source, at: place) {
            pending += found.scalars
            place += found.length
        } else {
            text("&")
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIILetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
    fileprivate var isHTMLSpace: Bool { [" ", "\n", "\t", "\r", "\u{C}"].contains(self) }
    fileprivate var asciiLowercased: Unicode.Scalar {
        ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 32) : self
    }
}
