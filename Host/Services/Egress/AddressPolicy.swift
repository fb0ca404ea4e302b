// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Which network addresses are of the public internet.
///
/// From the IANA special-purpose registries (RFC 6890): everything that is not globally reachable unicast is refused,
/// and so are IPv6 forms that carry an IPv4 address (mapped, translated, 6to4, Teredo), by the address they carry.
enum AddressPolicy {
    /// True where a connection may go without the grant saying `private`.
    static func isPublic(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let v4):
            // sockaddr_in: family, port, then the address.
            withUnsafeBytes(of: v4.address) { isPublic(v4: Array($0[4..<8])) }
        case .v6(let v6):
            // sockaddr_in6: family, port, flow, then the address.
            withUnsafeBytes(of: v6.address) { isPublic(v6: Array($0[8..<24])) }
        case .unixDomainSocket:
            false
        }
    }

    /// Four bytes in network order.
    static func isPublic(v4 bytes: [UInt8]) -> Bool {
        guard bytes.count == 4 else { return false }
        let (a, b, c) = (bytes[0], bytes[1], bytes[2])
        return switch (a, b, c) {
        case (0, _, _), (10, _, _), (127, _, _): false
        case (100, 64...127, _): false
        case (169, 254, _): false
        case (172, 16...31, _): false
        case (192, 168, _), (192, 0, 0), (192, 0, 2), (192, 88, 99): false
        case (198, 18...19, _), (198, 51, 100), (203, 0, 113): false
        case (224...255, _, _): false
        default: true
        }
    }

    /// Sixteen bytes in network order.
    static func isPublic(v6 bytes: [UInt8]) -> Bool {
        guard bytes.count == 16 else { return false }
        if bytes[0..<10].allSatisfy({ $0 == 0 }) { return isPublicLow(bytes) }
        if bytes[0..<12].elementsEqual([0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) {
            return isPublic(v4: Array(bytes[12..<16]))
        }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return isPublic(v4: Array(bytes[2..<6])) }
        // 2001::/23 holds Teredo and protocol assignments, 2001:db8::/32 documentation, 3fff::/20 too.
        if bytes[0] == 0x20, bytes[1] == 0x01, bytes[2] < 0x02 { return false }
        if bytes[0..<4].elementsEqual([0x20, 0x01, 0x0d, 0xb8]) { return false }
        if bytes[0] == 0x3f, bytes[1] == 0xff, bytes[2] < 0x10 { return false }
        return bytes[0] & 0xe0 == 0x20
    }

    /// Of ::/80: only addresses mapped from IPv4 (::ffff:a.b.c.d) can be public.
    private static func isPublicLow(_ bytes: [UInt8]) -> Bool {
        guard bytes[10] == 0xff, bytes[11] == 0xff else { return false }
        return isPublic(v4: Array(bytes[12..<16]))
    }
}
