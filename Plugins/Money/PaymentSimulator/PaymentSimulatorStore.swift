// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// Tables and rows of the simulator.
enum PaymentSimulatorStore {
    static let migrations = [
        Migration(
            "001-payments",
            """
            CREATE TABLE {payments} (
                tenant TEXT NOT NULL,
                number TEXT NOT NULL,
                reference TEXT NOT NULL,
                amount BIGINT NOT NULL,
                currency TEXT NOT NULL,
                notify_url TEXT NOT NULL,
                fault TEXT NOT NULL,
                status TEXT NOT NULL,
                failure TEXT NOT NULL,
                paid_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                digest BLOB NOT NULL,
                PRIMARY KEY (tenant, number)
            );
            CREATE TABLE {refunds} (
                tenant TEXT NOT NULL,
                number TEXT NOT NULL,
                payment_number TEXT NOT NULL,
                reference TEXT NOT NULL,
                amount BIGINT NOT NULL,
                currency TEXT NOT NULL,
                status TEXT NOT NULL,
                digest BLOB NOT NULL,
                PRIMARY KEY (tenant, number)
            );
            CREATE INDEX {refunds_by_payment} ON {refunds} (tenant, payment_number);
            CREATE TABLE {notices} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                subject TEXT NOT NULL,
                notify_url TEXT NOT NULL,
                body TEXT NOT NULL,
                forges BIGINT NOT NULL,
                deliveries BIGINT NOT NULL,
                delivered BIGINT NOT NULL,
                attempts BIGINT NOT NULL,
                due_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, id)
            );
            CREATE UNIQUE INDEX {notices_by_subject} ON {notices} (tenant, subject);
            """)
    ]

    static let payment = """
        SELECT number, reference, amount, currency, notify_url, fault, status, failure, paid_at, expires_at, digest
        FROM {payments} WHERE tenant = :tenant AND number = ?1
        """
    static let refund = """
        SELECT number, payment_number, reference, amount, currency, status, digest
        FROM {refunds} WHERE tenant = :tenant AND number = ?1
        """
    static let notice = """
        SELECT id, notify_url, body, forges, deliveries, delivered, attempts, due_at
        FROM {notices} WHERE tenant = :tenant AND id = ?1
        """

    static func payment(_ row: Row) throws -> SimulatedPayment {
        guard let fault = Fault(rawValue: try row.text("fault")),
            let status = SimulatedStatus(rawValue: try row.text("status"))
        else { throw PaymentSimulatorError.broken("payment") }
        return SimulatedPayment(
            number: try row.text("number"), reference: try row.text("reference"), amount: try row.int("amount"),
            currency: try row.text("currency"), notifyURL: try row.text("notify_url"), fault: fault, status: status,
            failure: try row.text("failure"), paidAt: try row.int("paid_at"), expiresAt: try row.int("expires_at"),
            digest: Array(try row.blob("digest")))
    }

    static func refund(_ row: Row) throws -> SimulatedRefund {
        guard let status = SimulatedStatus(rawValue: try row.text("status")) else {
            throw PaymentSimulatorError.broken("refund")
        }
        return SimulatedRefund(
            number: try row.text("number"), paymentNumber: try row.text("payment_number"),
            reference: try row.text("reference"), amount: try row.int("amount"), currency: try row.text("currency"),
            status: status, digest: Array(try row.blob("digest")))
    }

    static func notice(_ row: Row) throws -> Notice {
        Notice(
            id: try row.text("id"), notifyURL: try row.text("notify_url"), body: try row.text("body"),
            forges: try row.int("forges"), deliveries: try row.int("deliveries"), delivered: try row.int("delivered"),
            attempts: try row.int("attempts"), dueAt: try row.int("due_at"))
    }

    nonisolated(nonsending) static func insert(_ payment: SimulatedPayment, in tx: Transaction) async throws {
        try await tx.run(
            """
            INSERT INTO {payments} (tenant, number, reference, amount, currency, notify_url, fault, status, failure,
                paid_at, expires_at, digest) VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """, expect: 1, payment.number, payment.reference, payment.amount, payment.currency, payment.notifyURL,
            payment.fault.rawValue, payment.status.rawValue, payment.failure, payment.paidAt, payment.expiresAt,
            payment.digest)
    }

    nonisolated(nonsending) static func update(_ payment: SimulatedPayment, in tx: Transaction) async throws {
        try await tx.run(
            """
            UPDATE {payments} SET status = ?2, failure = ?3, paid_at = ?4
            WHERE tenant = :tenant AND number = ?1 AND status = 'PENDING'
            """, expect: 1, payment.number, payment.status.rawValue, payment.failure, payment.paidAt)
    }

    nonisolated(nonsending) static func insert(_ refund: SimulatedRefund, in tx: Transaction) async throws {
        try await tx.run(
            """
            INSERT INTO {refunds} (tenant, number, payment_number, reference, amount, currency, status, digest)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """, expect: 1, refund.number, refund.paymentNumber, refund.reference, refund.amount, refund.currency,
            refund.status.rawValue, refund.digest)
    }

    nonisolated(nonsending) static func insert(_ notice: Notice, about subject: String, in tx: Transaction) async throws
    {
        try await tx.run(
            """
            INSERT INTO {notices} (tenant, id, subject, notify_url, body, forges, deliveries, delivered, attempts,
                due_at)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7)
            """, expect: 1, notice.id, subject, notice.notifyURL, notice.body, notice.forges, notice.deliveries,
            notice.dueAt)
    }
}
