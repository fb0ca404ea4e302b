// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The text of a statement: a `String`, or a ``PreparedStatement`` for one that runs often.
public protocol StatementText: Sendable {
    /// One statement of the portable subset, table names in braces, parameters as ?1, ?2, … and `:tenant`.
    var sql: String { get }
    /// Itself where the engine is to remember it; nil where the text is sent each time.
    var prepared: PreparedStatement? { get }
}

extension String: StatementText {
    /// Itself.
    public var sql: String { self }
    /// Nil: the text is sent.
    public var prepared: PreparedStatement? { nil }
}

/// A statement that runs often: the engine reads its text once and knows it by a number from then on.
///
/// ```swift
/// static let find = PreparedStatement("SELECT amount FROM {entries} WHERE tenant = :tenant AND id = ?1")
/// let rows = try await db.read(Self.find, id)
/// ```
///
/// May be shared by all instances of a plugin and all threads.
public final class PreparedStatement: StatementText {
    /// As given.
    public let sql: String
    /// Itself.
    public var prepared: PreparedStatement? { self }
    private let state = Mutex(State())

    private struct State {
        /// The latest at the end.
        var numbers: [(owner: Owner, number: UInt64)] = []
        var columns: [String] = []
    }

    /// Owners that are remembered: each generation of an instance is one.
    private static let owners = 16

    /// For whom a number holds.
    struct Owner: Hashable, Sendable {
        var instance: String
        var generation: UInt32
        var feature: String
    }

    /// A statement with this text.
    public init(_ sql: String) { self.sql = sql }

    func number(for owner: Owner) -> UInt64? {
        state.withLock { state in
            for entry in state.numbers.reversed() where entry.owner == owner { return entry.number }
            return nil
        }
    }

    func remember(_ number: UInt64, for owner: Owner) {
        state.withLock { state in
            state.numbers.removeAll { $0.owner == owner }
            if state.numbers.count >= Self.owners { state.numbers.removeFirst() }
            state.numbers.append((owner, number))
        }
    }

    func forget(for owner: Owner) { state.withLock { $0.numbers.removeAll { $0.owner == owner } } }

    /// The columns that it gave last: most likely those of the next rows.
    var columns: [String] {
        get { state.withLock { $0.columns } }
        set { state.withLock { if $0.columns != newValue { $0.columns = newValue } } }
    }
}
