// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts
public import TheatrePlugin

/// What a refusal says of coming back.
public struct RetryHint: Sendable, Hashable {
    /// Milliseconds, where the server said when.
    public var after: UInt64?
    /// False where the server said so.
    public var mayRetry = true

    /// Nothing is said.
    public init() {}

    /// By `retry-after-ms`, else `retry-after` (seconds or a date), and `x-should-retry`; what cannot be read counts as not
    /// said. No pause is longer than a day.
    ///
    /// - Parameter now: milliseconds since 1970.
    public init(_ headers: [HostHeader], now: Int64) {
        var seconds: Int64?
        var milliseconds: Int64?
        for header in headers {
            switch header.name.lowercased() {
            case "retry-after-ms": milliseconds = Double(header.value).flatMap { LimitTime.whole($0) }
            case "retry-after": seconds = LimitTime.milliseconds(until: header.value, now: now)
            case "x-should-retry": mayRetry = header.value != "false"
            default: break
            }
        }
        if let pause = milliseconds ?? seconds { after = UInt64(min(max(pause, 0), 86_400_000)) }
    }

    /// Where coming back at once would do as well.
    public var retry: PluginError.Retry {
        mayRetry ? after.map { .after(milliseconds: $0) } ?? .safe : .never
    }
}
