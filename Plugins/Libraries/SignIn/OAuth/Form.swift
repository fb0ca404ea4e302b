// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// `application/x-www-form-urlencoded`, for queries and bodies.
public enum Form {
    /// `a=1&b=2`, in this order.
    public static func encode(_ fields: [(String, String)]) -> String {
        fields.map { "\(escape($0))=\(escape($1))" }.joined(separator: "&")
    }

    /// Everything but RFC 3986's unreserved characters as `%XX`: a space is `%20`.
    public static func escape(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
            default:
                result.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] { result.append(digit < 10 ? 0x30 + digit : 0x37 + digit) }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A URL with more fields in its query.
    public static func append(_ fields: [(String, String)], to url: String) -> String {
        url + (url.contains("?") ? "&" : "?") + encode(fields)
    }
}
