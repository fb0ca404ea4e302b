// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Fields of a query or of a body of `application/x-www-form-urlencoded`.
struct FormFields {
    private let fields: [String: String]

    init(_ text: some StringProtocol) {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[Self.decoded(parts[0])] = parts.count > 1 ? Self.decoded(parts[1]) : ""
        }
        self.fields = fields
    }

    /// Of what follows the question mark.
    init(url: String) {
        let query = url.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        self.init(query.prefix { $0 != "#" })
    }

    subscript(_ name: String) -> String { fields[name] ?? "" }

    static func decoded(_ text: some StringProtocol) -> String {
        text.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? ""
    }
}
