// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf
public import TheatreContracts

/// Statements that go in one message and commit together; see ``Database/commit(_:_:)``.
public struct Batch {
    private var statements: [SQLStatement] = []
    private var attachments = CommitAttachments()

    /// Adds a statement.
    ///
    /// - Parameter expect: rows it must change; otherwise ABORTED `sql.expectation`.
    public mutating func run(
        _ statement: some StatementText, expect: UInt32? = nil, _ values: (any SQLConvertible)?...
    ) {
        statements.append(SQLStatement(statement.sql, expect: expect, values: values))
    }

    /// Stores an event with the transaction. See ``Transaction/publish(type:aggregate:data:channel:)``.
    public mutating func publish(type: String, aggregate: String, data: String, channel: String = "") {
        attachments.publish(type: type, aggregate: aggregate, data: data, channel: channel)
    }

    /// Stores a job with the transaction. See ``Transaction/enqueue(_:)``.
    public mutating func enqueue(_ job: JobsNewJob) { attachments.enqueue(job) }

    /// Stores the answer to the route's caller. See ``Transaction/answer(_:status:)``.
    public mutating func answer(_ response: some Message, status: UInt32 = 0) throws {
        try attachments.answer(response, status: status)
    }

    func message(_ options: WriteOptions) -> SQLCommitRequest {
        .with {
            $0.statements = statements
            $0.attachments = attachments.message
            $0.isolation = options.isolation
            $0.timeoutMs = options.timeout == .seconds(2) ? 0 : options.timeout.milliseconds
        }
    }
}
