// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Logging

/// How a record becomes a line.
public enum LogFormat: Sendable {
    /// One JSON object: time, level, logger, message, metadata.
    case json
    /// For a person at a terminal.
    case console

    /// The bytes of a line, with its line feed: `time` in milliseconds since 1970, `metadata` clean of secrets.
    func line(
        time: Int64, level: Logger.Level, logger: String, message: String, metadata: Logger.Metadata
    ) -> [UInt8] {
        switch self {
        case .json: Self.jsonLine(time, level, logger, message, metadata)
        case .console: Self.consoleLine(time, level, logger, message, metadata)
        }
    }

    /// RFC 3339 with milliseconds, which a Date's floating point would round.
    private static func text(_ time: Int64) -> String {
        let seconds = Date(timeIntervalSince1970: Double(time / 1000)).formatted(.iso8601).dropLast()
        let rest = String(time % 1000)
        return "\(seconds).\(String(repeating: "0", count: max(0, 3 - rest.utf8.count)))\(rest)Z"
    }

    private static func jsonLine(
        _ time: Int64, _ level: Logger.Level, _ logger: String, _ message: String, _ metadata: Logger.Metadata
    ) -> [UInt8] {
        var line = "{\"time\":\"\(text(time))\",\"level\":\"\(level.rawValue)\",\"logger\":"
        appendString(logger, to: &line)
        line += ",\"message\":"
        appendString(message, to: &line)
        if !metadata.isEmpty {
            line += ",\"metadata\":"
            append(.dictionary(metadata), to: &line)
        }
        return Array(line.utf8) + Array("}\n".utf8)
    }

    private static func append(_ value: Logger.MetadataValue, to line: inout String) {
        switch value {
        case .string(let text): appendString(text, to: &line)
        case .stringConvertible(let value): appendString(value.description, to: &line)
        case .array(let values):
            line += "["
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                append(value, to: &line)
            }
            line += "]"
        case .dictionary(let members):
            line += "{"
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line += "," }
                appendString(member.key, to: &line)
                line += ":"
                append(member.value, to: &line)
            }
            line += "}"
        }
    }

    /// RFC 8259 section 7.
    private static func appendString(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\u{0}"..."\u{1f}", "\u{7f}", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }

    private static func consoleLine(
        _ time: Int64, _ level: Logger.Level, _ logger: String, _ message: String, _ metadata: Logger.Metadata
    ) -> [UInt8] {
        // The time of day is what a person looks for.
        let clock = text(time).dropFirst(11).prefix(12)
        var line = "\(clock) \(level.rawValue.uppercased()) \(logger): \(message)"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        let safe = line.unicodeScalars.map { scalar -> String in
            scalar.value < 0x20 || scalar.value == 0x7f ? "?" : String(scalar)
        }
        return Array(safe.joined().utf8) + [UInt8(ascii: "\n")]
    }
}
