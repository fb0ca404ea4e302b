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
    let places: ConcurrencyLimits
    let subscribers = ConnectionCounts()
    let proxies: TrustedProxies
    let tenants: HostTenants
    let crossOrigin: CrossOrigin
    /// Nil where sessions are not kept in cookies.
    let cookie: SessionCookie?
    let fixedFields: FixedFields
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
        places = ConcurrencyLimits(configuration.rates)
        tenants = HostTenants(configuration.tenants)
        proxies = TrustedProxies(configuration.trustedProxies)
        let own = configuration.publicURL
        crossOrigin = CrossOrigin(configuration.crossOrigin, own: own.isEmpty ? nil : Self.origin(own))
        cookie = configuration.allowsCookies ? SessionCookie(isSecure: configuration.isTLS) : nil
        fixedFields = FixedFields(hstsSeconds: configuration.isTLS ? configuration.hstsSeconds : 0)
        current = Mutex(table)
    }

    /// Scheme, host and port of a URL.
    private static func origin(_ url: String) -> String {
        guard let slashes = url.firstRange(of: "//") else { return url }
        let end = url[slashes.upperBound...].firstIndex(of: "/") ?? url.endIndex
        return String(url[..<end])
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
