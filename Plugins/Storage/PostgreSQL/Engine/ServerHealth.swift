// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreStorage

/// Whether the server can store, as what it refused tells: a full disk, one that fails, damage.
///
/// A disk counts as well once nothing has failed for a while and a look has made room on it: on a full one what needs no
/// new page still goes through, so success alone says nothing. Damage of a table stays until a
/// verification finds none, that of an index until the storage is opened anew.
final class ServerHealth: Sendable {
    /// Milliseconds without a failure before a look may say that all is well.
    static let quiet: UInt64 = 3000

    private let condition: StorageCondition
    /// An index is damaged, which a verification does not see.
    private let hasDamagedIndex = Atomic(false)
    /// When storing failed last, in milliseconds of the machine.
    private let failedAt = Atomic<UInt64>(0)

    /// `report` is called where it changes, from any thread: with what is wrong, or nil once nothing is.
    init(report: @escaping @Sendable (StorageError?) -> Void) { condition = StorageCondition(report: report) }

    /// What is wrong; nil where nothing is known to be.
    var current: StorageError? { condition.worst }

    /// Whether a look at the disk may tell that it is well again.
    var wantsLook: Bool {
        condition.fails && monotonicMilliseconds() - failedAt.load(ordering: .relaxed) >= Self.quiet
    }

    /// Takes what the server refused something with.
    func found(_ error: WireError) {
        guard ["53100", "58030", "XX001", "XX002"].contains(error.state) else { return }
        let meaning = StorageError(error, in: .host)
        if error.state == "XX002" { hasDamagedIndex.store(true, ordering: .relaxed) }
        if meaning.reason == "sql.corrupt" { return condition.change { $0.damage = meaning } }
        failedAt.store(monotonicMilliseconds(), ordering: .relaxed)
        condition.change { $0.failure = meaning }
    }

    /// A look has made room on the disk and given it back.
    func wrote() { condition.change { $0.failure = nil } }

    /// Every table was read from end to end, and none is damaged. What is wrong with an index stays.
    func verified() {
        if !hasDamagedIndex.load(ordering: .relaxed) { condition.change { $0.damage = nil } }
    }
}
