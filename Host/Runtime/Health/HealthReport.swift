// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry

/// How a profile is.
public enum HealthState: String, Sendable, Hashable, CaseIterable {
    /// No call and no probe has said anything yet.
    case unknown
    /// It serves.
    case healthy
    /// Some of its last calls failed, or it asked to be left alone for a while.
    case degraded
    /// Too many failed in a row: it is not called until its time is over.
    case down
    /// Its time is over: one call tries whether it serves again.
    case halfOpen = "half_open"
}

/// What is known of a profile by the calls it had of one capability.
public struct HealthReport: Sendable, Hashable {
    /// Its name.
    public var profile: String
    /// Its instance.
    public var instance: String
    /// What it is asked for: one that has several may fail at one of them alone.
    public var capability: String
    /// How it is.
    public var state: HealthState
    /// Wall clock of the last change of `state`, milliseconds since 1970; 0 for none.
    public var since: Int64
    /// When it is tried again, of one that is down or asked to be left alone; 0 otherwise.
    public var retryAt: Int64
    /// Calls that said something of it.
    public var calls: UInt64
    /// Of them, those that it failed.
    public var failures: UInt64
    /// Of the last calls, the share that failed, in thousandths.
    public var failedPermille: Int
    /// Of answered calls: exponentially weighted average in microseconds; 0 before the first.
    public var latency: Int64
    /// Wall clock of the last call that said something; 0 for none.
    public var lastCall: Int64
    /// The last failure.
    public var lastFailure: Failure?

    /// A failure.
    public struct Failure: Sendable, Hashable {
        /// Whose.
        public var kind: FaultClass
        /// As the error stated it.
        public var reason: String
        /// Wall clock, milliseconds since 1970.
        public var at: Int64
    }
}
