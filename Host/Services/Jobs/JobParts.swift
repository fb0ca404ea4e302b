// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging

/// What all queues of a pump share.
struct JobParts: Sendable {
    let caller: UnaryCaller
    let storage: String
    let clock: any ServiceClock
    let worker: WorkerName
    let finisher: JobFinisher
    let log: Logger
}

/// Who leases: a host, and which life of it.
public struct WorkerName: Sendable, Hashable {
    /// The same after a restart, and never that of two processes at once.
    public let node: String
    /// Another in each process.
    public let life: String

    /// A name.
    public init(node: String, life: String) {
        self.node = node
        self.life = life
    }

    /// As the store knows it.
    public var name: String { "\(node)#\(life)" }

    /// True for a name of this host in a process that has ended.
    func isEarlier(_ other: String) -> Bool { other.hasPrefix("\(node)#") && other != name }
}
