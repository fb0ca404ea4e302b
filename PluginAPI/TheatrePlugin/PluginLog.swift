// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// Writes log lines: constant text, and fields with dotted lower-case keys. Never a secret.
public struct PluginLog: Sendable {
    let connection: HostConnection

    /// For one who follows a single call.
    public func trace(_ message: String, _ fields: [String: String] = [:]) { log(THEATRE_LOG_TRACE, message, fields) }
    /// For one who looks for a fault.
    public func debug(_ message: String, _ fields: [String: String] = [:]) { log(THEATRE_LOG_DEBUG, message, fields) }
    /// Of interest in operation.
    public func info(_ message: String, _ fields: [String: String] = [:]) { log(THEATRE_LOG_INFO, message, fields) }
    /// Rare and of note.
    public func notice(_ message: String, _ fields: [String: String] = [:]) { log(THEATRE_LOG_NOTICE, message, fields) }
    /// Something is amiss and was dealt with.
    public func warning(_ message: String, _ fields: [String: String] = [:]) {
        log(THEATRE_LOG_WARNING, message, fields)
    }
    /// Somebody has to look.
    public func error(_ message: String, _ fields: [String: String] = [:]) { log(THEATRE_LOG_ERROR, message, fields) }

    private func log(_ level: UInt32, _ message: String, _ fields: [String: String]) {
        connection.log(level, message, fields.isEmpty ? "" : Self.json(fields))
    }

    /// One JSON object, keys sorted.
    static func json(_ fields: [String: String]) -> String {
        var out = "{"
        for (index, field) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { out += "," }
            quote(field.key, into: &out)
            out += ":"
            quote(field.value, into: &out)
        }
        return out + "}"
    }

    private static func quote(_ text: String, into out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\0"..." ":
                if scalar == " " {
                    out += " "
                } else {
                    let hex = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                }
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
