// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// Header fields that every answer carries, unless the plugin says otherwise of the same field.
///
/// An answer of an API is nothing to be guessed at, framed, run or kept: browsers are told so, whatever a plugin forgot.
final class FixedFields: Sendable {
    private let fields: [(name: String, value: String)]
    private let lines: ByteBuffer

    /// - Parameter hstsSeconds: how long browsers are to insist on TLS; 0 where it is not said.
    init(hstsSeconds: Int) {
        var fields = [
            (name: "cache-control", value: "no-store"),
            (name: "content-security-policy", value: "default-src 'none'; frame-ancestors 'none'"),
            (name: "referrer-policy", value: "no-referrer"),
            (name: "x-content-type-options", value: "nosniff"),
        ]
        if hstsSeconds > 0 {
            fields.append(("strict-transport-security", "max-age=\(hstsSeconds); includeSubDomains"))
        }
        self.fields = fields
        lines = ByteBuffer(string: fields.map { "\($0.name): \($0.value)\r\n" }.joined())
    }

    /// Writes them as lines.
    func write(into out: inout ByteBuffer, unlessIn others: [(String, String)]) {
        guard !others.isEmpty else {
            out.writeImmutableBuffer(lines)
            return
        }
        for field in missing(in: others) { out.writeString("\(field.name): \(field.value)\r\n") }
    }

    /// Adds them.
    func add(to headers: inout HTTPHeaders, unlessIn others: [(String, String)]) {
        for field in missing(in: others) { headers.add(name: field.name, value: field.value) }
    }

    private func missing(in others: [(String, String)]) -> [(name: String, value: String)] {
        fields.filter { field in !others.contains { $0.0.isField(lowercase: field.name) } }
    }
}
