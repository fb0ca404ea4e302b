// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// A body of application/x-www-form-urlencoded. A name that comes twice makes it malformed, RFC 6749 section 3.2.
struct FormBody {
    private var values: [String: String] = [:]

    init?(_ request: HTTPRequest) {
        let type = request.headers.first { $0.name == "content-type" }?.value ?? ""
        let name = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard name == "application/x-www-form-urlencoded" else { return nil }
        self.init(Array(request.body))
    }

    init?(_ body: [UInt8]) {
        for pair in body.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count > 1 ? parts[1] : []),
                values.updateValue(value, forKey: name) == nil
            else { return nil }
        }
    }

    /// Nil where it is not there or empty.
    subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A name or a value as it was meant; nil where it is malformed.
    static func decode(_ text: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard rest.count >= 2,
                    let decoded = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self).lowercased())
                else { return nil }
                bytes += decoded
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
