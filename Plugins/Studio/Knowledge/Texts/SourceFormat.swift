// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a source is written in.
enum SourceFormat: String, Sendable, CaseIterable {
    case txt, md, html

    /// As said, or by the ending of the name; nil for another.
    init?(_ said: String, name: String) {
        if !said.isEmpty {
            self.init(rawValue: said)
            return
        }
        switch name.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased() {
        case "txt", "text": self = .txt
        case "md", "markdown": self = .md
        case "html", "htm", "xhtml": self = .html
        default: return nil
        }
    }

    /// The text of a source in this format.
    func extract(_ source: String) -> ExtractedText {
        switch self {
        case .txt: PlainText.extract(source)
        case .md: Markdown.extract(source)
        case .html: HTMLText.extract(source)
        }
    }
}
