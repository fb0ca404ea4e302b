// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Runtime

/// Two HTTP clients whose connection pools do not mix: one for the public internet, one for granted private addresses.
final class EgressClients: Sendable {
    private let outward: HTTPClient
    private let inward: HTTPClient

    /// Clients on the loops of `group`, which trust `authorities` beside those of the system.
    init(group: any EventLoopGroup, authorities: [NIOSSLCertificate]) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)), decompression: .disabled)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .automatic
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if !authorities.isEmpty { tls.additionalTrustRoots = [.certificates(authorities)] }
        configuration.tlsConfiguration = tls
        inward = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        configuration.http1_1ConnectionDebugInitializer = Self.checkAddress
        configuration.http2ConnectionDebugInitializer = Self.checkAddress
        outward = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// The client for a plan.
    func client(allowsPrivate: Bool) -> HTTPClient { allowsPrivate ? inward : outward }

    /// Closes both; calls under way fail.
    func shutdown(_ group: any EventLoopGroup) -> EventLoopFuture<Void> {
        let loop = group.next()
        return outward.shutdown().hop(to: loop).flatMap { [inward] in inward.shutdown().hop(to: loop) }
    }

    /// Runs on the connected channel before any request is written to it: what a name resolved to when it was
    /// connected is what is checked, so a name server cannot answer one thing to a check and another to the connection.
    private static let checkAddress: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
        guard let address = channel.remoteAddress, AddressPolicy.isPublic(address) else {
            // The pool must hear of the failure before it hears of the close.
            channel.eventLoop.scheduleTask(in: .milliseconds(100)) { channel.close(promise: nil) }
            return channel.eventLoop.makeFailedFuture(InwardAddress())
        }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    /// A name led to an address that the grant does not allow.
    struct InwardAddress: Error {}
}
