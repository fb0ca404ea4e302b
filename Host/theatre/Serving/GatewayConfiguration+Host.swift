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
        limits.headers = host.limits.headerBytes
        timeouts.headers = .seconds(Int64(host.limits.headerSeconds))
        timeouts.body = .seconds(Int64(host.limits.bodySeconds))
        timeouts.answer = .seconds(Int64(host.limits.answerSeconds))
        timeouts.keepAlive = .seconds(Int64(host.limits.idleSeconds))
        timeouts.drain = .seconds(Int64(host.drainSeconds))
        rates = host.rates.mapValues { Rate(perMinute: $0.perMinute, burst: $0.burst) }
        verifyAnswers = verifiesAnswers
    }
}
