// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct WebhookConfiguration: Decodable, Sendable {
    /// Where messages go that name no address, or empty.
    var url: String
    /// For the grants only: whose hosts addresses may name.
    var otherURLs: [String]
    var timeoutMilliseconds: UInt32

    enum CodingKeys: String, CodingKey {
        case url
        case otherURLs = "other_urls"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// Whether a text could be an endpoint: absolute, http or https, without user, fragment, space or brace.
    static func isEndpoint(_ text: String) -> Bool {
        text.utf8.count <= 2000 && text.wholeMatch(of: #/https?:\/\/[^\/?#@\s{}]+(\/[^#\s{}]*)?/#) != nil
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
