// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The text of a page as a reader sees it: blocks apart from each other, white space as one space, scripts and styles
/// left out. Headings keep their levels.
struct HTMLText {
    private var text = String.UnicodeScalarView()
    private var length = 0
    private var document = ExtractedText(text: "")
    /// Elements that are open and whose contents are left out.
    private var hidden: [String] = []
    private var preformatted = 0
    private var heading: (level: Int, start: Int)?
    private var title: String?
    /// Line ends that are due before the next character: 0, 1, or 2 between paragraphs.
    private var breaks = 0
    private var isSpaceDue = false

    private static let hiding: Set<String> = [
        "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select", "button", "xmp",
        "noembed", "noframes", "textarea",
    ]
    private static let paragraphs: Set<String> = [
        "address", "article", "aside", "blockquote", "body", "dd", "details", "dialog", "div", "dl", "dt",
        "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
        "html", "main", "nav", "ol", "p", "pre", "section", "table", "ul", "center", "summary",
    ]
    private static let lines: Set<String> = ["br", "li", "tr", "caption", "option"]

    static func extract(_ source: String) -> ExtractedText {
        var page = HTMLText()
        for token in HTMLTokenizer.tokens(of: source) {
            switch token {
            case .text(let words): page.add(words)
            case .open(let tag): page.open(tag)
            case .close(let tag): page.close(tag)
            }
        }
        page.endHeading()
        page.document.text = String(page.text)
        if page.document.title.isEmpty {
            page.document.title = page.document.headings.first { $0.level == 1 }?.title ?? ""
        }
        return page.document
    }

    private mutating func open(_ tag: String) {
        if !hidden.isEmpty {
            if hidden.last == tag { hidden.append(tag) }
            return
        }
        if Self.hiding.contains(tag) {
            hidden.append(tag)
        } else if tag == "title", document.title.isEmpty {
            title = ""
        } else if let level = Self.level(tag) {
            endHeading()
            apart(2)
            heading = (level, 0)
        } else if Self.paragraphs.contains(tag) {
            if heading != nil, tag == "p" || tag == "div" { endHeading() }
            apart(2)
        } else if Self.lines.contains(tag) {
            apart(1)
        } else if tag == "td" || tag == "th" {
            isSpaceDue = true
        }
        if tag == "pre" { preformatted += 1 }
    }

    private mutating func close(_ tag: String) {
        if let last = hidden.last {
            if last == tag { hidden.removeLast() }
            return
        }
        if tag == "title", let words = title {
            document.title = ExtractedText.Heading(level: 1, title: words, start: 0).title
            title = nil
        }
        if Self.level(tag) != nil { endHeading() }
        if Self.paragraphs.contains(tag) { apart(2) } else if Self.lines.contains(tag) { apart(1) }
        if tag == "pre" { preformatted = max(0, preformatted - 1) }
    }

    private static func level(_ tag: String) -> Int? {
        guard tag.utf8.count == 2, tag.hasPrefix("h"), let level = Int(tag.dropFirst()), (1...6).contains(level)
        else { return nil }
        return level
    }

    private mutating func endHeading() {
        guard let open = heading else { return }
        heading = nil
        guard open.start > 0 else { return }
        let words = text.suffix(length - (open.start - 1))
        document.headings.append(.init(level: open.level, title: String(Substring(words)), start: open.start - 1))
    }

    private mutating func apart(_ lines: Int) {
        breaks = max(breaks, lines)
        isSpaceDue = false
    }

    private mutating func add(_ words: String) {
        if title != nil {
            title?.append(words)
            return
        }
        guard hidden.isEmpty else { return }
        for scalar in words.unicodeScalars {
            if preformatted == 0, [" ", "\n", "\t", "\r", "\u{C}"].contains(scalar) {
                isSpaceDue = true
            } else {
                append(scalar)
            }
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        // A zero cannot be stored; the standard has a replacement for it.
        let scalar: Unicode.Scalar = scalar.value == 0 ? "\u{FFFD}" : scalar
        if length > 0 {
            if breaks > 0 {
                for _ in 0..<breaks { put("\n") }
            } else if isSpaceDue {
                put(" ")
            }
        }
        breaks = 0
        isSpaceDue = false
        // Kept with one added, so that 0 is a heading without a word so far.
        if let open = heading, open.start == 0 { heading = (open.level, length + 1) }
        put(scalar)
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        text.append(scalar)
        length += 1
    }
}
