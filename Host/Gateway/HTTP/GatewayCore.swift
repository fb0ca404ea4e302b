// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import Runtime
internal import Synchronization

/// What all connections of a gateway share. Any thread.
final class GatewayCore: Sendable {
    let configuration: GatewayConfiguration
    let calls: any CallStarting
    let services: GatewayServices
    let log: Logger
    let revocations = Revocations()
    let connections = Atomic<Int>(0)
    let inFlight = Atomic<Int>(0)
    let isDraining = Atomic<Bool>(false)
    let unmatched = RouteCounters()
    let rates: RateLimiter
    private let current: Mutex<GatewayTable>

    init(
        configuration: GatewayConfiguration, table: GatewayTable, calls: any CallStarting, services: GatewayServices,
        log: Logger
    ) {
        self.configuration = configuration
        self.calls = calls
        self.services = services
        self.log = log
        rates = RateLimiter(configuration.rates)
        current = Mutex(table)
    }

    var table: GatewayTable {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
