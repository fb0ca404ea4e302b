// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// What a caller may say of one call.
public struct CallOptions: Sendable {
    /// Stable over attempts; empty: none.
    public var idempotencyKey: String
    /// Nil: the deadline of the call being served, or the host's default.
    public var timeout: Duration?
    /// What a route may choose by.
    public var attributes: HostRouteAttributes?

    /// Options; all may be left out.
    public init(idempotencyKey: String = "", timeout: Duration? = nil, attributes: HostRouteAttributes? = nil) {
        self.idempotencyKey = idempotencyKey
        self.timeout = timeout
        self.attributes = attributes
    }
}

extension Duration {
    /// Whole nanoseconds, at least 0.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max / 2 : whole + UInt64(attoseconds / 1_000_000_000)
    }
}
