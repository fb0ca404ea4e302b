// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TheatreManifest

/// Token buckets of callers, of their networks and of their tenants, by rate class.
final class RateLimiter: Sendable {
    fileprivate enum Key: Hashable {
        case principal(String, String)
        case subscriber(String, NetworkAddress)
        case network(String, NetworkAddress)
        case tenant(String, String)
        /// Whoever comes once there are more strangers than can be told apart.
        case others(String)
    }

    private struct Class {
        let name: String
        let caller: TokenBucket.Shape
        let network: TokenBucket.Shape?
        let tenant: TokenBucket.Shape?
        let policy: String
    }

    fileprivate struct Buckets {
        var buckets: [Key: TokenBucket] = [:]
        var sweptAt: UInt64 = 0
    }

    /// Who asks.
    struct Asker {
        /// Nil for a stranger.
        var principal: String?
        var tenant: String
        var address: NetworkAddress?
    }

    /// What became of it.
    struct Verdict: Equatable {
        /// Names the bucket that has least left.
        var name: String
        var decision: TokenBucket.Decision
    }

    private let classes: [String: Class]
    private let buckets = Mutex(Buckets())
    private let sweptFrom: Int
    private let most: Int

    /// - Parameters:
    ///   - sweptFrom: buckets that are kept although they tell nothing any more.
    ///   - most: buckets in all.
    init(_ rates: [String: GatewayConfiguration.Rate], sweptFrom: Int = 100_000, most: Int = 1_000_000) {
        self.sweptFrom = sweptFrom
        self.most = most
        classes = rates.reduce(into: [:]) { classes, rate in
            let (name, limits) = rate
            var policy = "\"\(name)\";q=\(limits.caller.perMinute);w=60"
            if let network = limits.network { policy += ", \"\(name)-network\";q=\(network.perMinute);w=60" }
            if let tenant = limits.tenant { policy += ", \"\(name)-tenant\";q=\(tenant.perMinute);w=60" }
            classes[name] = Class(
                name: name, caller: TokenBucket.Shape(limits.caller),
                network: limits.network.map(TokenBucket.Shape.init),
                tenant: limits.tenant.map(TokenBucket.Shape.init), policy: policy)
        }
    }

    /// Whether the class has a limit.
    func isLimited(_ rateClass: String) -> Bool { !classes.isEmpty && classes[rateClass] != nil }

    /// Value of RateLimit-Policy.
    func policy(_ rateClass: String) -> String { classes[rateClass]?.policy ?? "" }

    /// Takes a token out of each bucket that the caller draws on, or none where one is empty; nil where the class is not
    /// limited.
    func take(_ rateClass: String, _ asker: @autoclosure () -> Asker, at now: UInt64) -> Verdict? {
        guard let limits = classes[rateClass] else { return nil }
        let asker = asker()
        return buckets.withLock { buckets in
            buckets.sweep(from: sweptFrom, at: now)
            var caller = Self.caller(asker, rateClass)
            if buckets.buckets.count >= most, buckets.buckets[caller] == nil { caller = .others(rateClass) }
            guard limits.network != nil || limits.tenant != nil else {
                return Verdict(
                    name: limits.name,
                    decision: buckets.buckets[caller, default: TokenBucket(at: now)].take(limits.caller, at: now))
            }
            var taken = [buckets.taken(caller, limits.name, limits.caller, at: now)]
            if let shape = limits.network, let address = asker.address {
                taken.append(
                    buckets.taken(.network(rateClass, address.network), "\(limits.name)-network", shape, at: now))
            }
            if let shape = limits.tenant, asker.principal != nil {
                taken.append(buckets.taken(.tenant(rateClass, asker.tenant), "\(limits.name)-tenant", shape, at: now))
            }
            let verdict = taken.map(\.verdict).reduce(taken[0].verdict) { $1.isStricter(than: $0) ? $1 : $0 }
            if case .allowed = verdict.decision {
                for bucket in taken { buckets.buckets[bucket.key] = bucket.bucket }
            }
            return verdict
        }
    }

    private static func caller(_ asker: Asker, _ rateClass: String) -> Key {
        if let principal = asker.principal { return .principal(rateClass, principal) }
        guard let address = asker.address else { return .others(rateClass) }
        return .subscriber(rateClass, address.subscriber)
    }
}

extension RateLimiter.Buckets {
    /// Forgets the buckets that are full, at most once a second.
    fileprivate mutating func sweep(from count: Int, at now: UInt64) {
        guard buckets.count > count, now >= sweptAt + 1_000_000_000 else { return }
        sweptAt = now
        buckets = buckets.filter { !$0.value.isFull(at: now) }
    }

    /// A bucket as it is once a token was taken.
    fileprivate func taken(_ key: RateLimiter.Key, _ name: String, _ shape: TokenBucket.Shape, at now: UInt64) -> (
        key: RateLimiter.Key, bucket: TokenBucket, verdict: RateLimiter.Verdict
    ) {
        var bucket = buckets[key] ?? TokenBucket(at: now)
        let decision = bucket.take(shape, at: now)
        return (key, bucket, RateLimiter.Verdict(name: name, decision: decision))
    }
}

extension RateLimiter.Verdict {
    fileprivate func isStricter(than other: Self) -> Bool {
        switch (decision, other.decision) {
        case (.refused(let mine), .refused(let others)): mine > others
        case (.refused, .allowed): true
        case (.allowed, .refused): false
        case (.allowed(let mine, _), .allowed(let others, _)): mine < others
        }
    }
}
