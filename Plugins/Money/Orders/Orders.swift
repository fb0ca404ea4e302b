// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Orders of chips: each step is idempotent, so that whatever stops between two of them is taken up again.
struct Orders: Plugin, OrdersContract, HTTPHandlerContract, HostTargetContract {
    static var operations: [TheatrePlugin.Operation<Orders>] {
        ordersOperations + httpHandlerOperations + hostTargetOperations + privacyHolderOperations
    }

    let host: PluginHost
    let configuration: OrdersConfiguration

    init(_ host: PluginHost, _ configuration: OrdersConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await database(host).migrate(OrdersSchema.migrations)
    }

    func selfTest() async throws {
        _ = try await database(host).read("SELECT COUNT(*) AS n FROM {orders} WHERE tenant = :tenant")
    }

    func database(_ scope: some CallScope) -> Database { Database(scope, feature: "orders.storage") }

    func ledger(_ call: Call) -> LedgerClient { LedgerClient(call, feature: "orders.ledger") }

    func provider(_ call: Call) -> PaymentProviderClient { PaymentProviderClient(call, feature: "orders.payment") }

    func schedule(_ name: String, at time: Int64, _ call: Call) async throws {
        let request = HostScheduleRequest.with {
            $0.name = name
            $0.at = time
        }
        _ = try await HostTimersClient(call).schedule(request)
    }

    /// The bearer, or UNAUTHENTICATED.
    func user(_ call: Call) throws -> String {
        guard !call.principal.isEmpty else { throw OrdersError.noPrincipal() }
        return call.principal
    }

    // MARK: Orders

    func createOrder(_ request: OrdersCreateOrderRequest, _ call: Call) async throws -> OrdersOrder {
        let user = try user(call)
        guard (1...1_000_000).contains(request.chips) else { throw OrdersError.chips() }
        guard let unit = configuration.prices[request.currency] else {
            throw OrdersError.currency(configuration.prices.keys.sorted())
        }
        let (price, overflow) = unit.multipliedReportingOverflow(by: request.chips)
        guard !overflow else { throw OrdersError.overflow() }
        let order = OrderRow(
            id: ULID.next(prefix: "ord", at: host.now), user: user,
            machine: OrderMachine(price: price, chips: request.chips), currency: request.currency, createdAt: host.now)
        let message = order.message(nil)
        try await database(call).write { tx in
            try await OrdersStore(tx: tx).insert(order)
            try OrderEvents.publish("created", order, in: tx)
            try tx.answer(message)
        }
        return message
    }

    func getOrder(_ request: OrdersGetOrderRequest, _ call: Call) async throws -> OrdersOrder {
        let user = try user(call)
        let order = try await order(request.orderID, call)
        guard order.user == user else { throw OrdersError.notFound() }
        let attempts = try await database(call).read(OrdersStore.lastAttempt, order.id)
        return order.message(try attempts.first.map(AttemptRow.init))
    }

    func order(_ id: String, _ call: Call) async throws -> OrderRow {
        let rows = try await database(call).read(
            "SELECT \(OrderRow.columns) FROM {orders} WHERE tenant = :tenant AND id = ?1", id)
        guard let row = rows.first else { throw OrdersError.notFound() }
        return try OrderRow(row)
    }

    // MARK: Timers

    /// `attempt:NUMBER` and `refund:ID`. Thrown errors fire again.
    func fire(_ request: HostFireRequest, _ call: Call) async throws -> HostFireResponse {
        let subject = String(request.name.drop { $0 != ":" }.dropFirst())
        if request.name.hasPrefix("attempt:") {
            try await reconcilePayment(subject, call)
        } else if request.name.hasPrefix("refund:") {
            try await reconcileRefund(subject, call)
        }
        return HostFireResponse()
    }
}
