// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf

/// What the SDK calls the messages and services of contracts in Swift.
struct SwiftNames {
    /// The prefix of each package, the longest package first.
    private let prefixes: [(package: String, prefix: String)]

    /// - Throws: where the contract's descriptors are none.
    init(_ contract: Contract) throws {
        let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: contract.descriptors)
        let known = Dictionary(set.file.map { ($0.package, $0.options.swiftPrefix) }) { first, _ in first }
        prefixes = known.map { (package: $0.key, prefix: $0.value) }.sorted { $0.package.count > $1.package.count }
    }

    /// Of a message or an enum: `theatre.http.v1.Request` is `HTTPRequest`.
    func type(_ full: String) -> String {
        let (prefix, name) = parts(full)
        return prefix + name
    }

    /// Of a service, to which `Contract` is added: `theatre.ledger.v1.Ledger` is `Ledger`.
    func seam(_ full: String) -> String {
        let (prefix, name) = parts(full)
        return prefix == name ? name : prefix + name
    }

    private func parts(_ full: String) -> (prefix: String, name: String) {
        guard let found = prefixes.first(where: { full.hasPrefix($0.package + ".") }) else { return ("", full) }
        return (found.prefix, String(full.dropFirst(found.package.count + 1)))
    }

    /// Of a field: `content_type` is `contentType`, `event_id` is `eventID`.
    static func camel(_ name: String) -> String {
        let words = name.split(separator: "_").map(String.init)
        return words.prefix(1).joined()
            + words.dropFirst().map { word in
                ["url", "http", "https", "id"].contains(word)
                    ? word.uppercased() : word.prefix(1).uppercased() + word.dropFirst()
            }.joined()
    }

    /// `HTTPHandler` is `httpHandler`, `Ledger` is `ledger`.
    static func lowered(_ name: String) -> String {
        let upper = name.prefix { $0.isUppercase }.count
        guard upper > 1 else { return name.prefix(1).lowercased() + name.dropFirst() }
        guard upper < name.count else { return name.lowercased() }
        return name.prefix(upper - 1).lowercased() + name.dropFirst(upper - 1)
    }
}
