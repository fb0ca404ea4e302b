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
    /// Changes with every change of who belongs to what.
    let accessEpoch = Atomic<Int>(0)
    let connections = Atomic<Int>(0)
    let inFlight = Atomic<Int>(0)
    let isDraining = Atomic<Bool>(false)
    let unmatched = RouteCounters()
    let rates: RateLimiter
    let claims = KeyClaims()
    private let refusals = Mutex(RefusalThrottle())
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

    /// Audit rows to write for a refusal.
    func noteRefusal(_ record: AuditRecord, actor: String, route: String) -> [AuditRecord] {
        refusals.withLock { $0.note(record, for: RefusalThrottle.Key(actor: actor, route: route)) }
    }

    /// Writes the counts of refusals held back, of past minutes or, at the end, of all.
    func flushRefusals(all: Bool = false) {
        guard let audit = services.audit else { return }
        for row in refusals.withLock({ $0.close(before: wallMilliseconds(), all: all) }) { audit(row) }
    }

    var table: GatewayTable {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
