// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The tables of orders.
enum OrdersSchema {
    static let migrations = [
        Migration(
            "001-orders",
            """
            CREATE TABLE {orders} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                user_id TEXT NOT NULL,
                phase TEXT NOT NULL,
                currency TEXT NOT NULL,
                price BIGINT NOT NULL CHECK (price > 0),
                chips BIGINT NOT NULL CHECK (chips > 0),
                refunded BIGINT NOT NULL CHECK (refunded >= 0 AND refunded <= price),
                chips_back BIGINT NOT NULL CHECK (chips_back >= 0 AND chips_back <= chips),
                created_at BIGINT NOT NULL,
                paid_at BIGINT NOT NULL,
                version BIGINT NOT NULL,
                PRIMARY KEY (tenant, id)
            );
            CREATE TABLE {attempts} (
                tenant TEXT NOT NULL,
                number TEXT NOT NULL,
                order_id TEXT NOT NULL,
                phase TEXT NOT NULL,
                failure TEXT NOT NULL,
                client_action TEXT NOT NULL,
                request_key TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                asked BIGINT NOT NULL,
                PRIMARY KEY (tenant, number)
            );
            CREATE INDEX {attempts_by_order} ON {attempts} (tenant, order_id, number);
            CREATE UNIQUE INDEX {attempts_live} ON {attempts} (tenant, order_id)
                WHERE phase IN ('init', 'pending', 'unknown');
            CREATE TABLE {refunds} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                order_id TEXT NOT NULL,
                payment_number TEXT NOT NULL,
                phase TEXT NOT NULL,
                amount BIGINT NOT NULL CHECK (amount > 0),
                chips BIGINT NOT NULL CHECK (chips >= 0),
                reason TEXT NOT NULL,
                request_key TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                asked BIGINT NOT NULL,
                PRIMARY KEY (tenant, id)
            );
            CREATE INDEX {refunds_by_order} ON {refunds} (tenant, order_id, request_key);
            CREATE TABLE {notices} (
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                at BIGINT NOT NULL,
                provider TEXT NOT NULL,
                notification_id TEXT NOT NULL,
                number TEXT NOT NULL,
                outcome TEXT NOT NULL,
                detail TEXT NOT NULL,
                PRIMARY KEY (tenant, id)
            );
            """)
    ]
}
