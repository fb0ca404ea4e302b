// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The formats that are asserted.
enum SchemaFormat: String, Sendable, CaseIterable {
    case uri
    case email
    case dateTime = "date-time"
    case hostname
    case ipv4

    /// For messages.
    var words: String {
        switch self {
        case .uri: "a URI with a scheme"
        case .email: "an e-mail address"
        case .dateTime: "an RFC 3339 date and time"
        case .hostname: "a host name"
        case .ipv4: "an IPv4 address"
        }
    }

    func matches(_ text: String) -> Bool {
        switch self {
        case .uri: Self.isURI(text)
        case .email: Self.isEmail(text)
        case .dateTime: Self.isDateTime(text)
        case .hostname: Self.isHostname(text)
        case .ipv4: Self.isIPv4(text)
        }
    }

    /// RFC 3986: a scheme, a colon and only the characters a URI may have, `%` followed by two digits.
    private static func isURI(_ text: String) -> Bool {
        text.wholeMatch(of: #/[A-Za-z][A-Za-z0-9+.\-]*:(?:[A-Za-z0-9\-._~:\/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+/#)
            != nil
            && text.count { $0 == "#" } <= 1
    }

    /// RFC 5321 without quoted local parts and address literals.
    private static func isEmail(_ text: String) -> Bool {
        guard let at = text.lastIndex(of: "@") else { return false }
        let local = text[..<at]
        return (1...64).contains(local.utf8.count) && isHostname(String(text[text.index(after: at)...]))
            && local.wholeMatch(of: #/[A-Za-z0-9!#$%&'*+\/=?^_`{|}~\-]+(?:\.[A-Za-z0-9!#$%&'*+\/=?^_`{|}~\-]+)*/#)
                != nil
    }

    private static func isDateTime(_ text: String) -> Bool {
        let form =
            #/([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(?:[Zz]|[+\-]([0-9]{2}):([0-9]{2}))/#
        guard let match = text.wholeMatch(of: form)?.output, let year = Int(match.1), let month = Int(match.2),
            let day = Int(match.3), let hour = Int(match.4), let minute = Int(match.5), let second = Int(match.6)
        else { return false }
        let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        guard (1...12).contains(month) else { return false }
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        let offset = (match.8.flatMap { Int($0) } ?? 0, match.9.flatMap { Int($0) } ?? 0)
        return (1...days).contains(day) && hour < 24 && minute < 60 && second < 60 && offset.0 < 24 && offset.1 < 60
    }

    /// RFC 1123: labels of letters, digits and inner hyphens, 63 each, 253 in all.
    private static func isHostname(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.wholeMatch(of: #/[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?/#) != nil
            }
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.wholeMatch(of: #/0|[1-9][0-9]{0,2}/#) != nil && Int(part).map { $0 < 256 } == true
            }
    }
}
