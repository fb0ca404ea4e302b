// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime

/// Where an export of personal data goes on: at which instance, and from which cursor of its own on.
struct ExportPlace: Hashable {
    /// Its name in plugins.d.
    var instance: String
    /// As it answered; empty for its first page.
    var cursor = ""

    init(_ instance: String, _ cursor: String = "") {
        self.instance = instance
        self.cursor = cursor
    }

    /// From a cursor that an answer gave: INVALID_ARGUMENT `request.cursor` for another, and for one at an instance that
    /// holds nothing.
    init(_ text: String, among instances: [String]) throws(CallError) {
        let bytes = text.utf8.count <= 1000 ? Base64URL.decode(text) : nil
        let parts = bytes.flatMap { String(validating: $0, as: UTF8.self) }?
            .split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard let parts, parts.count == 2, instances.contains(String(parts[0])) else {
            throw CallError(
                .invalidArgument, "request.cursor", "This is no cursor of an export; ask for its first page.",
                detail: "/cursor")
        }
        self.init(String(parts[0]), String(parts[1]))
    }

    /// What the client hands back. No instance has a space in its name.
    var text: String { Base64URL.encode("\(instance) \(cursor)".utf8) }
}
