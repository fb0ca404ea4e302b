// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// Orders, attempts and refunds inside one write transaction.
struct OrdersStore {
    let tx: Transaction

    // MARK: Orders

    nonisolated(nonsending) func order(_ id: String) async throws -> OrderRow? {
        try await tx.run("SELECT \(OrderRow.columns) FROM {orders} WHERE tenant = :tenant AND id = ?1", id)
            .first.map(OrderRow.init)
    }

    /// The order of a person; another's is not found.
    nonisolated(nonsending) func order(_ id: String, of user: String) async throws -> OrderRow {
        guard let order = try await order(id), order.user == user else { throw OrdersError.notFound() }
        return order
    }

    nonisolated(nonsending) func insert(_ order: OrderRow) async throws {
        try await tx.run(
            """
            INSERT INTO {orders} (tenant, id, user_id, phase, currency, price, chips, refunded, chips_back, created_at,
                paid_at, version) VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, 0, 1)
            """, expect: 1, order.id, order.user, order.machine.phase.rawValue, order.currency, order.machine.price,
            order.machine.chips, order.createdAt)
    }

    nonisolated(nonsending) func save(_ order: OrderRow) async throws {
        try await tx.run(
            """
            UPDATE {orders} SET phase = ?2, refunded = ?3, chips_back = ?4, paid_at = ?5, version = version + 1
            WHERE tenant = :tenant AND id = ?1 AND version = ?6
            """, expect: 1, order.id, order.machine.phase.rawValue, order.machine.refunded, order.machine.chipsBack,
            order.paidAt, order.version)
    }

    // MARK: Attempts

    nonisolated(nonsending) func attempt(_ number: String) async throws -> AttemptRow? {
        try await tx.run("SELECT \(AttemptRow.columns) FROM {attempts} WHERE tenant = :tenant AND number = ?1", number)
            .first.map(AttemptRow.init)
    }

    /// The last attempt of an order: numbers grow.
    nonisolated(nonsending) func lastAttempt(of orderID: String) async throws -> AttemptRow? {
        try await tx.run(Self.lastAttempt, orderID).first.map(AttemptRow.init)
    }

    static let lastAttempt = """
        SELECT \(AttemptRow.columns) FROM {attempts} WHERE tenant = :tenant AND order_id = ?1
        ORDER BY number DESC LIMIT 1
        """

    nonisolated(nonsending) func paidAttempt(of orderID: String) async throws -> AttemptRow? {
        try await tx.run(
            """
            SELECT \(AttemptRow.columns) FROM {attempts}
            WHERE tenant = :tenant AND order_id = ?1 AND phase = 'success' LIMIT 1
            """, orderID
        ).first.map(AttemptRow.init)
    }

    nonisolated(nonsending) func insert(_ attempt: AttemptRow) async throws {
        try await tx.run(
            """
            INSERT INTO {attempts} (tenant, number, order_id, phase, failure, client_action, request_key, created_at,
                asked)
            VALUES (:tenant, ?1, ?2, ?3, '', '', ?4, ?5, 0)
            """, expect: 1, attempt.number, attempt.orderID, attempt.machine.phase.rawValue, attempt.requestKey,
            attempt.createdAt)
    }

    nonisolated(nonsending) func save(_ attempt: AttemptRow) async throws {
        try await tx.run(
            """
            UPDATE {attempts} SET phase = ?2, failure = ?3, client_action = ?4, asked = ?5
            WHERE tenant = :tenant AND number = ?1
            """, expect: 1, attempt.number, attempt.machine.phase.rawValue, attempt.machine.failure,
            attempt.clientAction, attempt.asked)
    }

    // MARK: Refunds

    nonisolated(nonsending) func refund(_ id: String) async throws -> RefundRow? {
        try await tx.run(Self.refund, id).first.map(RefundRow.init)
    }

    static let refund = "SELECT \(RefundRow.columns) FROM {refunds} WHERE tenant = :tenant AND id = ?1"

    /// The refund that the same request made before.
    nonisolated(nonsending) func refund(of orderID: String, requestKey: String) async throws -> RefundRow? {
        guard !requestKey.isEmpty else { return nil }
        return try await tx.run(
            """
            SELECT \(RefundRow.columns) FROM {refunds}
            WHERE tenant = :tenant AND order_id = ?1 AND request_key = ?2
            """, orderID, requestKey
        ).first.map(RefundRow.init)
    }

    nonisolated(nonsending) func insert(_ refund: RefundRow) async throws {
        try await tx.run(
            """
            INSERT INTO {refunds} (tenant, id, order_id, payment_number, phase, amount, chips, reason, request_key,
                created_at, asked) VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)
            """, expect: 1, refund.id, refund.orderID, refund.paymentNumber, refund.machine.phase.rawValue,
            refund.amount, refund.chips, refund.reason, refund.requestKey, refund.createdAt)
    }

    nonisolated(nonsending) func save(_ refund: RefundRow) async throws {
        try await tx.run(
            "UPDATE {refunds} SET phase = ?2, asked = ?3 WHERE tenant = :tenant AND id = ?1", expect: 1, refund.id,
            refund.machine.phase.rawValue, refund.asked)
    }

    // MARK: Notifications

    /// Records what came from a provider, or from somebody who is not one.
    nonisolated(nonsending) func record(_ notice: OrdersNotice) async throws {
        try await tx.run(
            """
            INSERT INTO {notices} (tenant, id, at, provider, notification_id, number, outcome, detail)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """, expect: 1, ULID.next(prefix: "ntc", at: notice.at), notice.at, notice.provider, notice.id,
            notice.number, notice.outcome.rawValue, notice.detail)
    }
}

/// What is written down about a notification or an answer of a provider.
struct OrdersNotice: Sendable {
    /// What it came to.
    enum Outcome: String, Sendable {
        case applied, unverified, mismatch, conflict
        case unknownNumber = "unknown_number"
    }

    var at: Int64
    var provider: String
    var id = ""
    var number = ""
    var outcome: Outcome
    var detail = ""
}
