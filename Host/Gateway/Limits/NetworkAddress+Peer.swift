// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import TheatreManifest

extension NetworkAddress {
    /// Of a peer; nil where it has none, such as that of a Unix socket.
    init?(_ address: SocketAddress?) {
        switch address {
        // Family and port come first, with IPv6 the flow too.
        case .v4(let address): self.init(withUnsafeBytes(of: address.address) { Array($0[4..<8])[...] })
        case .v6(let address): self.init(withUnsafeBytes(of: address.address) { Array($0[8..<24])[...] })
        case .unixDomainSocket, nil: return nil
        }
    }
}
