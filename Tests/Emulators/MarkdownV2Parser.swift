// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Reads MarkdownV2 as the Bot API does, with its complaints: bold, italic, underline, strikethrough, spoiler, code.
struct MarkdownV2Parser {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var offset = 0
    private var visible = String.UnicodeScalarView()
    private var open: [(mark: String, start: Int, byte: Int)] = []
    private var bold: [String] = []

    private static let names = ["*": "Bold", "_": "Italic", "__": "Underline", "~": "Strikethrough", "||": "Spoiler"]
    private static let reserved = Set("_*[]()~`>#+-=|{}.!".unicodeScalars)

    /// What people see, and the bold pieces of it.
    static func parse(_ text: String) throws(TelegramEmulator.Refusal) -> (text: String, bold: [String]) {
        var parser = MarkdownV2Parser(source: Array(text.unicodeScalars))
        try parser.run()
        return (String(parser.visible), parser.bold)
    }

    private init(source: [Unicode.Scalar]) { self.source = source }

    private mutating func run() throws(TelegramEmulator.Refusal) {
        while position < source.count {
            let scalar = source[position]
            if scalar == "\\", position + 1 < source.count, source[position + 1].value <= 126 {
                advance()
                visible.append(source[position])
                advance()
            } else if scalar == "`" {
                try code()
            } else if let mark = mark() {
                toggle(mark)
            } else if Self.reserved.contains(scalar) {
                throw TelegramEmulator.Refusal(
                    text: "can't parse entities: Character '\(scalar)' is reserved and must be escaped with the "
                        + "preceding '\\'")
            } else {
                visible.append(scalar)
                advance()
            }
        }
        if let last = open.last {
            throw TelegramEmulator.Refusal(
                text: "can't parse entities: Can't find end of \(Self.names[last.mark] ?? "") entity at byte offset "
                    + "\(last.byte)")
        }
    }

    private func mark() -> String? {
        let next = position + 1 < source.count ? source[position + 1] : nil
        switch source[position] {
        case "*", "~": return String(source[position])
        case "_": return next == "_" ? "__" : "_"
        case "|": return next == "|" ? "||" : nil
        default: return nil
        }
    }

    private mutating func toggle(_ mark: String) {
        let byte = offset
        for _ in mark.unicodeScalars { advance() }
        guard let last = open.last, last.mark == mark else {
            return open.append((mark, visible.count, byte))
        }
        open.removeLast()
        if mark == "*" { bold.append(String(visible.dropFirst(last.start).map(Character.init))) }
    }

    private mutating func code() throws(TelegramEmulator.Refusal) {
        let byte = offset
        let fence = source[position...].prefix { $0 == "`" }.count >= 3 ? 3 : 1
        for _ in 0..<fence { advance() }
        while position < source.count {
            if source[position] == "`", source[position...].prefix(fence).allSatisfy({ $0 == "`" }) {
                for _ in 0..<min(fence, source.count - position) { advance() }
                return
            }
            if source[position] == "\\", position + 1 < source.count { advance() }
            visible.append(source[position])
            advance()
        }
        throw TelegramEmulator.Refusal(
            text: "can't parse entities: Can't find end of \(fence == 3 ? "Pre" : "Code") entity at byte offset \(byte)"
        )
    }

    private mutating func advance() {
        offset += UTF8.width(source[position])
        position += 1
    }
}
