// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An IP address, as a number: an IPv4 address that came in the clothes of IPv6 is an IPv4 address.
public struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// The 128 bits of IPv6, or the upper 32 of IPv4.
    private var high: UInt64
    private var low: UInt64
    /// Of IPv4.
    public let isIPv4: Bool

    /// Reads `192.0.2.1` or `2001:db8::1`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 45 else { return nil }
        var bytes: [UInt8] = Array(repeating: 0, count: 16)
        if inet_pton(AF_INET, String(text), &bytes) == 1 {
            self.init(bytes[..<4])
        } else if inet_pton(AF_INET6, String(text), &bytes) == 1 {
            self.init(bytes[...])
        } else {
            return nil
        }
    }

    /// Four bytes of IPv4, or sixteen of IPv6, in network order.
    public init(_ bytes: ArraySlice<UInt8>) {
        precondition(bytes.count == 4 || bytes.count == 16)
        let isMapped = bytes.count == 16 && bytes.dropLast(4) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        isIPv4 = bytes.count == 4 || isMapped
        let number = (isIPv4 ? Array(bytes.suffix(4)) + Array(repeating: 0, count: 12) : Array(bytes))
        high = number[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = number[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The first `length` bits, the others zero.
    public func prefix(_ length: Int) -> NetworkAddress {
        var network = self
        network.high = length >= 64 ? high : length <= 0 ? 0 : high & ~(UInt64.max >> UInt64(length))
        network.low = length >= 128 ? low : length <= 64 ? 0 : low & ~(UInt64.max >> UInt64(length - 64))
        return network
    }

    /// What one subscriber has: an IPv4 address, or 64 bits of IPv6, within which he may take any address he likes.
    public var subscriber: NetworkAddress { prefix(isIPv4 ? 32 : 64) }

    /// The neighbourhood, which one organisation often has whole: 24 bits of IPv4, 48 of IPv6.
    public var network: NetworkAddress { prefix(isIPv4 ? 24 : 48) }

    /// ``network`` with its length, `203.0.113.0/24` or `2001:db8:1::/48`: what may be kept of an address, since it names
    /// nobody.
    public var networkText: String { "\(network)/\(isIPv4 ? 24 : 48)" }

    /// In the usual notation.
    public var description: String {
        var text = [CChar](repeating: 0, count: 46)
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * $0)) }
        bytes += (0..<8).map { UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * $0)) }
        inet_ntop(isIPv4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
public struct AddressBlock: Hashable, Sendable {
    private let start: NetworkAddress
    private let length: Int

    /// The one address that nobody has.
    public static let nowhere = AddressBlock(start: NetworkAddress([0, 0, 0, 0]), length: 32)

    private init(start: NetworkAddress, length: Int) {
        self.start = start
        self.length = length
    }

    /// Nil for what is no block, and where bits beyond its length are set: somebody meant something else.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let start = NetworkAddress(parts[0]) else { return nil }
        let most = start.isIPv4 ? 32 : 128
        guard let length = parts.count == 1 ? most : Int(parts[1]), (0...most).contains(length),
            start.prefix(length) == start
        else { return nil }
        self.start = start
        self.length = length
    }

    /// Whether an address lies in it.
    public func contains(_ address: NetworkAddress) -> Bool {
        address.isIPv4 == start.isIPv4 && address.prefix(length) == start
    }
}
