// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

/// Proxies whose word is taken for where a request came from.
///
/// A header that anybody may write counts only as far as the hands it went through are known: `X-Forwarded-For` is read
/// from its end, each entry as written by the hop behind it, up to the first address that is no proxy of ours.
struct TrustedProxies: Sendable {
    private let blocks: [AddressBlock]

    init(_ blocks: [AddressBlock]) { self.blocks = blocks }

    /// Whether a peer is one of them.
    func contain(_ address: NetworkAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// Where a request came from that `peer` sent with this `X-Forwarded-For`.
    func client(of peer: NetworkAddress, forwardedFor: String?) -> NetworkAddress {
        guard let forwardedFor, contain(peer) else { return peer }
        var nearest = peer
        for entry in forwardedFor.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).reversed()
        {
            guard let address = Self.address(Substring(entry)) else { return nearest }
            nearest = address
            guard contain(address) else { return address }
        }
        return nearest
    }

    /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
    private static func address(_ entry: Substring) -> NetworkAddress? {
        var text = entry.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            return NetworkAddress(text[text.index(after: text.startIndex)..<end])
        }
        if let address = NetworkAddress(text) { return address }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        return NetworkAddress(text[..<colon])
    }
}
