// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// The headers in which a server says what is left of its limits.
public struct RateHeaders: Sendable {
    /// Left of requests.
    public var requests: String
    /// Left of tokens; the least of those that are there.
    public var tokens: [String]
    /// When each is full again.
    public var resets: [String]

    /// `x-ratelimit-remaining-requests` and the like.
    public static let openAI = RateHeaders(
        requests: "x-ratelimit-remaining-requests", tokens: ["x-ratelimit-remaining-tokens"],
        resets: ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"])

    /// `anthropic-ratelimit-requests-remaining` and the like.
    public static let anthropic = RateHeaders(
        requests: "anthropic-ratelimit-requests-remaining",
        tokens: ["tokens", "input-tokens", "output-tokens"].map { "anthropic-ratelimit-\($0)-remaining" },
        resets: ["requests", "tokens", "input-tokens", "output-tokens"].map { "anthropic-ratelimit-\($0)-reset" })

    /// What an answer says; nil where it says nothing that can be read.
    ///
    /// - Parameter now: milliseconds since 1970.
    public func left(_ headers: [HostHeader], now: Int64) -> ContentRateLeft? {
        let values = Dictionary(headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        func count(_ name: String) -> Int64? { values[name].flatMap { Int64($0) }.map { max(0, $0) } }
        var left = ContentRateLeft()
        if let count = count(requests) { left.requests = count }
        if let count = tokens.compactMap(count).min() { left.tokens = count }
        guard left.hasRequests || left.hasTokens else { return nil }
        let pauses = resets.compactMap { values[$0] }.compactMap { LimitTime.milliseconds(until: $0, now: now) }
        if let pause = pauses.max() { left.resetsAt = now + min(pause, 366 * 86_400_000) }
        return left
    }
}
