// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Runtime

extension GatewayConfiguration {
    /// What `00-host.yaml` says of listening and its limits.
    init(_ host: HostConfiguration, verifiesAnswers: Bool) {
        self.init()
        self.host = host.host
        port = host.port
        tls = host.tls.map { TLS(certificateFile: $0.certificate, keyFile: $0.key) }
        limits.connections = host.limits.connections
        limits.connectionsOfOne = host.limits.connectionsOfOne
        limits.requests = host.limits.requests
        limits.headers = host.limits.headerBytes
        timeouts.headers = .seconds(Int64(host.limits.headerSeconds))
        timeouts.body = .seconds(Int64(host.limits.bodySeconds))
        timeouts.answer = .seconds(Int64(host.limits.answerSeconds))
        timeouts.keepAlive = .seconds(Int64(host.limits.idleSeconds))
        timeouts.drain = .seconds(Int64(host.drainSeconds))
        rates = host.rates.filter { $0.value != .unlimited }.mapValues(Rate.init)
        tenants = host.tenants.mapValues { Tenant(hosts: $0.hosts, isClosed: $0.isClosed) }
        publicURL = host.publicURL
        hstsSeconds = host.hstsSeconds
        trustedProxies = host.trustedProxies
        crossOrigin.origins = host.crossOrigin.origins
        crossOrigin.allowsCredentials = host.crossOrigin.allowsCredentials
        crossOrigin.maxAgeSeconds = host.crossOrigin.maxAgeSeconds
        allowsCookies = host.allowsCookies
        verifyAnswers = verifiesAnswers
    }
}

extension GatewayConfiguration.Rate {
    fileprivate init(_ rate: HostConfiguration.Rate) {
        self.init(perMinute: rate.perMinute, burst: rate.burst)
        network = rate.network.map { .init(perMinute: $0.perMinute, burst: $0.burst) }
        tenant = rate.tenant.map { .init(perMinute: $0.perMinute, burst: $0.burst) }
        concurrent = rate.concurrent
    }
}
