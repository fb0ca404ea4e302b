// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Counts one kind of misuse of one instance, and says which of them are to be told. Any thread; takes no lock.
struct MisuseCounter: ~Copyable {
    /// Nanoseconds between two that are told.
    static let interval: UInt64 = 60_000_000_000

    private let count = Atomic<UInt64>(0)
    private let told = Atomic<UInt64>(0)
    private let next = Atomic<UInt64>(0)

    var total: UInt64 { count.load(ordering: .relaxed) }

    /// Counts one: how many there were since the last that was told, where this one is to be told; else nil.
    func note(at now: UInt64) -> UInt64? {
        let total = count.wrappingAdd(1, ordering: .relaxed).newValue
        let due = next.load(ordering: .relaxed)
        guard now >= due,
            next.compareExchange(expected: due, desired: now &+ Self.interval, ordering: .relaxed).exchanged
        else { return nil }
        let before = told.exchange(total, ordering: .relaxed)
        // Two threads that counted a minute apart may come here in the other order.
        return total > before ? total - before : 1
    }
}
