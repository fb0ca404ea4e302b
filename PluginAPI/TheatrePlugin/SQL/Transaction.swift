// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf
public import TheatreContracts

/// An open write transaction: statements one after another, each with its answer.
///
/// Lives inside ``Database/write(_:_:)``. While it is open the host refuses egress and calls to other plugins, and after
/// 2 s it is rolled back.
public final class Transaction {
    private let steps: TransactionSteps
    private var attachments = CommitAttachments()

    init(_ steps: TransactionSteps) { self.steps = steps }

    /// Runs one statement. One that fails rolls the transaction back.
    ///
    /// - Parameter expect: rows it must change; otherwise ABORTED `sql.expectation`.
    @discardableResult
    public nonisolated(nonsending) func run(
        _ statement: some StatementText, expect: UInt32? = nil, _ values: (any SQLConvertible)?...
    ) async throws -> Rows {
        try await steps.run(statement, expect: expect, values)
    }

    /// Stores an event with the transaction; consumers get it after the commit.
    ///
    /// - Parameters:
    ///   - aggregate: what it is about; events of one aggregate come in order.
    ///   - data: one JSON object without secrets.
    ///   - channel: who may see it in a realtime channel; empty for consumers only.
    public func publish(type: String, aggregate: String, data: String, channel: String = "") {
        attachments.publish(type: type, aggregate: aggregate, data: data, channel: channel)
    }

    /// Stores a job with the transaction, in one of the queues that the manifest names; it runs once that is committed, in
    /// `theatre.jobs.v1.Worker/Run` of this instance.
    ///
    /// ```swift
    /// try tx.enqueue(JobsNewJob("render", kind: "draft.render", payload: request, uniqueKey: draft))
    /// ```
    public func enqueue(_ job: JobsNewJob) { attachments.enqueue(job) }

    /// Stores the answer to the route's caller with the transaction, so that the same request gets it again.
    ///
    /// Once per transaction. A mutating route's handler makes exactly one answering commit and returns the same message.
    ///
    /// - Parameter status: of HTTP; 0 for the route's.
    public func answer(_ response: some Message, status: UInt32 = 0) throws {
        try attachments.answer(response, status: status)
    }

    nonisolated(nonsending) func commit() async throws { _ = try await steps.commit(attachments.message) }
}
