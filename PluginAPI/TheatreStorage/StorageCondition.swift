// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What is known to be wrong with a database: why it cannot store, and what of it is damaged. Any thread may use it.
public final class StorageCondition: Sendable {
    /// What is known.
    public struct Faults: Sendable {
        /// Why nothing can be stored; nil where that went well the last time.
        public var failure: StorageError?
        /// What is damaged, until a verification has found nothing.
        public var damage: StorageError?

        /// The one to tell: damage outweighs a failure.
        public var worst: StorageError? { damage ?? failure }
    }

    private let faults = Mutex(Faults())
    /// Held while a change is made and told, so that changes are told in their order.
    private let telling = Mutex(())
    private let report: @Sendable (StorageError?) -> Void

    /// `report` is called where the reason of the worst changes, on the thread that changed it: with it, or nil once nothing
    /// is wrong. It must not change anything here.
    public init(report: @escaping @Sendable (StorageError?) -> Void) { self.report = report }

    /// The worst that is known; nil where nothing is.
    public var worst: StorageError? { faults.withLock { $0.worst } }

    /// Whether storing failed the last time.
    public var fails: Bool { faults.withLock { $0.failure != nil } }

    /// Changes what is known.
    public func change(_ body: (inout Faults) -> Void) {
        telling.withLock { _ in
            let (before, after) = faults.withLock { faults in
                let before = faults.worst
                body(&faults)
                return (before, faults.worst)
            }
            if before?.reason != after?.reason { report(after) }
        }
    }
}
