// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreStorage

extension SQLIsolation {
    /// The server's words for it.
    var begin: Step {
        switch self {
        case .readCommitted: Step("BEGIN ISOLATION LEVEL READ COMMITTED")
        case .repeatableRead: Step("BEGIN ISOLATION LEVEL REPEATABLE READ")
        default: Step("BEGIN ISOLATION LEVEL SERIALIZABLE")
        }
    }
}

/// What is stored with a commit, on its way to the server: the last steps of a transaction.
struct CommitTail: Sendable {
    private let plan: HostPlan<SQLCommitResponse>
    private let transaction: HostTransaction
    /// What the answer, an event or a job stored here would be found by.
    let witness: Witness?
    /// From the first to the COMMIT.
    let steps: [Step]
    /// Whether a number of rows has to be looked at before the COMMIT.
    var needsLook: Bool { transaction.needsLook }

    init(_ plan: HostPlan<SQLCommitResponse>, hostSchema: String) {
        self.plan = plan
        transaction = HostTransaction(plan.statements)
        witness = Witness(plan.statements)
        var steps = plan.statements.isEmpty ? [] : [NamespaceRealm.enterHost(hostSchema)] + transaction.steps
        // Known here before the COMMIT is answered, so that its outcome can be asked for by another connection.
        steps.append(Step("SELECT CAST(pg_current_xact_id() AS TEXT)", flushes: true))
        steps.append(Step("COMMIT"))
        self.steps = steps
    }

    /// ``steps`` without the COMMIT, to be looked at before it is sent.
    var stepsBeforeCommit: [Step] {
        var steps = Array(steps.dropLast())
        // What is answered at the end of an exchange needs no asking.
        steps[steps.count - 1].flushes = false
        return steps
    }

    /// The number of the transaction, where it came; `results` begin with those of ``steps``.
    func number(_ results: ArraySlice<SQLRows>) -> String? {
        let place = results.startIndex + steps.count - 2
        return results.indices.contains(place) ? results[place].rows.first?.values.first?.text : nil
    }

    /// The response, once everything before the COMMIT has answered.
    func response(_ results: ArraySlice<SQLRows>) throws(StorageError) -> SQLCommitResponse {
        guard !plan.statements.isEmpty else { return SQLCommitResponse() }
        let own = transaction.results(results.dropFirst().prefix(plan.statements.count))
        return try plan.decode(own)
    }

    /// Throws where something stored changed other than it must.
    func check(_ results: ArraySlice<SQLRows>) throws(StorageError) {
        try transaction.check(transaction.results(results.dropFirst().prefix(plan.statements.count)))
    }

    /// What the failure of the step at `index` of ``steps`` means.
    func meaning(of error: StorageError, at index: Int) -> StorageError {
        transaction.meaning(of: error, at: index - 1)
    }
}

/// A row that only this transaction can have stored: it tells its commit from one of another transaction that was given
/// the same number after a crash.
struct Witness: Sendable {
    private let statement: HostStatement

    /// Of the first statement of a commit that stores something with an id of its own.
    init?(_ statements: [HostStatement]) {
        func values(_ table: String) -> [SQLValue]? {
            statements.first { $0.sql.contains("INSERT INTO \(table) ") }?.values
        }
        if let values = values("host__events"), values.count > EventRows.aggregatePlace {
            // By the index of aggregates and from its newest, so that nobody pays for an index of ids.
            statement = HostStatement(
                """
                SELECT 1 FROM host__events WHERE aggregate = ?1 AND event_id = ?2 ORDER BY position DESC LIMIT 1
                """, [values[EventRows.aggregatePlace], values[EventRows.idPlace]])
        } else if let id = values("host__jobs")?.first(where: { $0.text.hasPrefix("job_") }) {
            statement = HostStatement("SELECT 1 FROM host__jobs WHERE job_id = ?1 LIMIT 1", [id])
        } else {
            return nil
        }
    }

    /// Gives a row where it is there.
    var step: Step { Step(statement) }
}
