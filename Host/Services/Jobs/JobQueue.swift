// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A queue and how it is worked off: what a manifest says of it. Times are in milliseconds.
public struct JobQueue: Sendable, Hashable {
    /// The instance whose it is: it fills the queue and runs its jobs.
    public var owner: String
    /// Unique among the owner's.
    public var name: String
    /// Jobs that run at once here.
    public var concurrency = 4
    /// Jobs that run at once on all hosts together; 0: no bound.
    public var globalConcurrency = 0
    /// Runs of a job that says nothing itself before it is dead.
    public var maxAttempts = 5
    /// Longest run of a job that says nothing itself.
    public var timeout = 60_000
    /// How long a job stays leased to a host that is not heard of.
    public var lease = 30_000
    /// Upper bound of the wait before the second run.
    public var backoff = 1000
    /// Where the bound stops to double.
    public var backoffMax = 600_000

    /// A queue with the defaults of a manifest.
    public init(owner: String, name: String) {
        self.owner = owner
        self.name = name
    }

    /// The operation that runs its jobs.
    static let operation = "theatre.jobs.v1.Worker/Run"

    /// Time between heartbeats: often enough to survive two that fail, and to learn of a cancellation soon.
    var heartbeat: Int64 { Int64(min(lease / 3, 5000)) }
}
