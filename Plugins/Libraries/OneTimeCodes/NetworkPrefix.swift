// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TheatrePlugin

/// The network that an address is of: what one party usually has, a /24 of IPv4 or a /48 of IPv6.
public struct NetworkPrefix: Sendable, Hashable {
    /// `4:c0000200` or `6:20010db80001`.
    public let text: String

    /// Nil for what is no address.
    public init?(_ address: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, address, &four) == 1 {
            text = Self.four(withUnsafeBytes(of: &four) { Array($0) })
        } else if inet_pton(AF_INET6, address, &six) == 1 {
            let bytes = withUnsafeBytes(of: &six) { Array($0) }
            // ::ffff:a.b.c.d is that IPv4 address.
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            text = isMapped ? Self.four(Array(bytes[12...])) : "6:\(Hex.encode(bytes[..<6]))"
        } else {
            return nil
        }
    }

    private static func four(_ bytes: [UInt8]) -> String { "4:\(Hex.encode(bytes[..<3]))" }
}
