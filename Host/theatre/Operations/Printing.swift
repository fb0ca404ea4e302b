// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreManifest

/// How operators' commands print.
enum Printing {
    /// One JSON value on one line.
    static func json(_ value: JSONValue) throws { print(String(decoding: try value.json(), as: UTF8.self)) }

    /// A time for people, in UTC: `2026-01-31 09:30:00`; `-` for none.
    static func time(_ milliseconds: Int64) -> String {
        guard milliseconds > 0 else { return "-" }
        let date = Date(timeIntervalSince1970: Double(milliseconds / 1000))
        let text = date.ISO8601Format()
        return text.replacing("T", with: " ").replacing("Z", with: "")
    }

    /// `1 job`, `2 jobs`.
    static func count(_ count: some BinaryInteger, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}

extension JSONValue {
    /// A string, where there is one.
    static func text(_ text: String) -> JSONValue { text.isEmpty ? .null : .string(text) }
    /// An integer.
    static func int(_ number: some BinaryInteger) -> JSONValue { .integer(Int64(clamping: number)) }
    /// Bytes: as JSON where they are, as text where they are UTF-8, else in base 64.
    static func bytes(_ bytes: Data) -> JSONValue {
        if bytes.isEmpty { return .null }
        if let value = try? JSONValue(json: bytes) { return value }
        if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
        return .object(["base64": .string(bytes.base64EncodedString())])
    }
}
