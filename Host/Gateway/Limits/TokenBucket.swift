// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A token bucket in nanoseconds of credit. Pure.
struct TokenBucket {
    private var full: UInt64

    /// Nanoseconds one request costs, and credit at most.
    struct Shape: Sendable {
        let cost: UInt64
        let capacity: UInt64
        let perMinute: Int

        init(_ rate: GatewayConfiguration.Bucket) {
            perMinute = rate.perMinute
            cost = 60_000_000_000 / UInt64(rate.perMinute)
            capacity = cost * UInt64(rate.burst)
        }
    }

    /// A full bucket.
    init(at now: UInt64) { full = now }

    enum Decision: Equatable {
        /// Requests left, and seconds until the bucket is full.
        case allowed(remaining: Int, reset: UInt64)
        /// Seconds until one more is allowed, at least 1.
        case refused(retryAfter: UInt64)
    }

    /// Takes a token. `full` is the time at which the bucket will be full.
    mutating func take(_ shape: Shape, at now: UInt64) -> Decision {
        let from = max(full, now)
        let next = from + shape.cost
        if next > now + shape.capacity {
            let wait = next - now - shape.capacity
            return .refused(retryAfter: max(1, (wait + 999_999_999) / 1_000_000_000))
        }
        full = next
        let remaining = (now + shape.capacity - next) / shape.cost
        return .allowed(remaining: Int(remaining), reset: (next - now + 999_999_999) / 1_000_000_000)
    }

    /// Whether it tells no more than a new one.
    func isFull(at now: UInt64) -> Bool { full <= now }
}
