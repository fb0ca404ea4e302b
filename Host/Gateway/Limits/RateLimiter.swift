// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Token buckets by class and actor, in memory. Any thread.
final class RateLimiter: Sendable {
    private struct Key: Hashable {
        let rateClass: String
        let actor: String
    }

    private let shapes: [String: TokenBucket.Shape]
    private let policies: [String: String]
    private let buckets = Mutex<[Key: TokenBucket]>([:])

    init(_ rates: [String: GatewayConfiguration.Rate]) {
        shapes = rates.mapValues(TokenBucket.Shape.init)
        policies = rates.reduce(into: [:]) { $0[$1.key] = "\"\($1.key)\";q=\($1.value.perMinute);w=60" }
    }

    /// Whether the class has a limit.
    func isLimited(_ rateClass: String) -> Bool { !shapes.isEmpty && shapes[rateClass] != nil }

    /// Value of RateLimit-Policy.
    func policy(_ rateClass: String) -> String { policies[rateClass] ?? "" }

    /// Takes a token, or nil where the class is not limited.
    func take(_ rateClass: String, actor: @autoclosure () -> String, at now: UInt64) -> TokenBucket.Decision? {
        guard let shape = shapes[rateClass] else { return nil }
        let key = Key(rateClass: rateClass, actor: actor())
        return buckets.withLock { buckets in
            if buckets.count > 100_000 { buckets = buckets.filter { !$0.value.isFull(at: now) } }
            return buckets[key, default: TokenBucket(at: now)].take(shape, at: now)
        }
    }
}
