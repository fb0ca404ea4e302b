// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What an If-Match or If-None-Match field names. RFC 9110, section 8.8.3.
struct EntityTags: Sendable, Hashable {
    /// `*`.
    var isAny = false
    /// Without quotes and without `W/`.
    var tags: [String] = []

    init(_ field: String) {
        for part in field.split(separator: ",") {
            var tag = part.filter { $0 != " " && $0 != "\t" }
            if tag == "*" {
                isAny = true
                continue
            }
            if tag.hasPrefix("W/") { tag.removeFirst(2) }
            guard tag.utf8.count >= 2, tag.first == "\"", tag.last == "\"" else { continue }
            tags.append(String(tag.dropFirst().dropLast()))
        }
    }

    func matches(_ tag: String) -> Bool { isAny || tags.contains(tag) }
}
