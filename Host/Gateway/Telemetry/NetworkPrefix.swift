// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The part of a network address that is kept: 24 bits, or 48 of IPv6, which name a network and nobody in it.
enum NetworkPrefix {
    /// `203.0.113.0/24` or `2001:db8:1::/48`; empty for what is no address.
    static func of(_ address: String) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &bytes) == 1 { return "\(bytes[0]).\(bytes[1]).\(bytes[2]).0/24" }
        guard inet_pton(AF_INET6, address, &bytes) == 1 else { return "" }
        // An IPv4 address in IPv6 clothes.
        if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            return "\(bytes[12]).\(bytes[13]).\(bytes[14]).0/24"
        }
        let groups = stride(from: 0, to: 6, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/48"
    }
}
