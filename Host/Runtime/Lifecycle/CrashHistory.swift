// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// When an instance that crashed is started again, and when no more.
public struct CrashPolicy: Sendable, Hashable {
    /// With this many crashes within ``window`` an instance is quarantined.
    public var limit = 5
    /// In milliseconds.
    public var window: Int64 = 60_000
    /// Milliseconds before each start after a crash within the window; the last stands for all further ones.
    public var delays: [Int64] = [0, 50, 200, 1000, 5000]

    /// 5 in 60 s; at once, 50 ms, 200 ms, 1 s, 5 s.
    public init() {}
}

/// The crashes of one instance.
struct CrashHistory: Sendable {
    /// The last of them, newest last; no more than the limit.
    private(set) var ends: [InstanceEnd] = []
    /// All since the host started.
    private(set) var count = 0

    /// What is to be done.
    enum Decision: Sendable, Equatable {
        /// Start it again after so many milliseconds.
        case restart(after: Int64)
        /// It crashed this often within the window: leave it.
        case quarantine(Int)
    }

    /// Notes a crash.
    mutating func add(_ end: InstanceEnd, _ policy: CrashPolicy) -> Decision {
        count += 1
        ends.append(end)
        if ends.count > max(policy.limit, policy.delays.count) { ends.removeFirst() }
        let recent = ends.count { end.at - $0.at < policy.window }
        guard recent < policy.limit || end.isPassing else { return .quarantine(recent) }
        return .restart(after: policy.delays[min(recent, policy.delays.count) - 1])
    }

    /// An operator released it: what was counts no more.
    mutating func forgive() { ends = [] }

    /// As a status shows it.
    var facts: [String: String] {
        guard let last = ends.last else { return [:] }
        var facts = ["crashes": "\(count)", "last_crash": last.cause, "last_crash_at": "\(last.at)"]
        if !last.output.isEmpty { facts["last_output"] = last.output }
        return facts
    }
}
