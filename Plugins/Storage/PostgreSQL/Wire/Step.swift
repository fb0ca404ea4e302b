// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// How long an answer may be.
struct Bounds: Sendable, Hashable {
    var rows: Int
    var bytes: Int
}

/// One statement on its way to the server.
struct Step: Sendable {
    /// In the server's language, parameters as `$1`, `$2`, …
    var sql: String
    var values: [SQLValue] = []
    /// Whose search path it runs with: a prepared statement belongs to one.
    var namespace = ""
    /// Whether it is worth preparing; a transaction's BEGIN is too.
    var isPrepared = true
    /// For a caller's statement: its rows come one by one, and stop beyond this.
    var bounds: Bounds?
    /// The server sends what it has so far once this is done, and does not wait for the end.
    var flushes = false

    init(
        _ sql: String, _ values: [SQLValue] = [], namespace: String = "", isPrepared: Bool = true,
        bounds: Bounds? = nil,
        flushes: Bool = false
    ) {
        self.sql = sql
        self.values = values
        self.namespace = namespace
        self.isPrepared = isPrepared
        self.bounds = bounds
        self.flushes = flushes
    }
}

/// What became of steps that were sent together.
struct ExchangeOutcome: Sendable {
    /// Why an exchange was ended from this side.
    enum Ending: Sendable, Hashable {
        case deadline, caller, tooManyRows, tooLarge, unreadable(column: String), stalled
    }

    /// One for each step that went well, in order.
    var results: [SQLRows] = []
    /// The first step that failed, and why.
    var failure: (step: Int, error: WireError)?
    /// Why this side ended it, where it did; the failure may be what the server said to that, or missing.
    var ending: Ending?
    /// The connection ended before the server had answered everything.
    var isLost = false

    /// Whether every step went well.
    var isComplete: Bool { failure == nil && ending == nil && !isLost }

    /// As if it and what came `before` it, all of which went well, had been one exchange.
    func following(_ before: ExchangeOutcome) -> ExchangeOutcome {
        var whole = self
        whole.results = before.results + results
        if let failure { whole.failure = (failure.step + before.results.count, failure.error) }
        return whole
    }

    /// Whether who waits for it may go on with it on the loop's thread, without keeping other connections waiting for long.
    var isSmall: Bool { results.reduce(0) { $0 + $1.rows.count } <= 64 }
}

/// Takes the rows of a stream of them, and says when there is room for more.
protocol RowSink: AnyObject, Sendable {
    /// Takes a batch, on the loop's thread; false where the next one has to wait for ``ServerConnection/resume()``.
    func take(_ rows: SQLRows) -> Bool
}

/// Steps that are sent together, and answered together.
final class Exchange {
    let steps: [Step]
    /// Where the rows of the last bounded step go as they come; nil: into the outcome.
    var sink: (any RowSink)?
    /// Called on the loop's thread when everything is answered.
    let completion: (ExchangeOutcome) -> Void
    var outcome = ExchangeOutcome()

    init(_ steps: [Step], completion: @escaping (ExchangeOutcome) -> Void) {
        self.steps = steps
        self.completion = completion
    }
}
