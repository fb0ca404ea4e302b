// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Ids made of a name: the same name in the same namespace is always the same id. RFC 9562, section 5.5.
public struct UUIDv5: Sendable, Hashable {
    /// 16 bytes.
    public let bytes: [UInt8]

    /// The id of `name` in `namespace`, a UUID in any of the usual spellings. Nil where the namespace is not a UUID.
    public init?(_ namespace: String, _ name: String) {
        let digits = namespace.utf8.filter { $0 != UInt8(ascii: "-") }
        guard let bytes = Hex.decode(String(decoding: digits, as: UTF8.self)), bytes.count == 16 else { return nil }
        self.init(namespace: bytes, name)
    }

    /// The id of `name` in the namespace that another id is.
    public init(_ namespace: UUIDv5, _ name: String) {
        self.init(namespace: namespace.bytes, name)
    }

    private init(namespace: [UInt8], _ name: String) {
        var digest = Array(Digest.sha1(namespace + Array(name.utf8)).prefix(16))
        digest[6] = digest[6] & 0x0F | 0x50
        digest[8] = digest[8] & 0x3F | 0x80
        bytes = digest
    }
}

extension UUIDv5: CustomStringConvertible {
    /// Lower case, with hyphens.
    public var description: String {
        let hex = Array(Hex.encode(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }.joined(separator: "-")
    }
}
