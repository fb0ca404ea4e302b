// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Ledger
@testable import Orders
@testable import PaymentSimulator
@testable import SQLite

/// Orders, ledger, simulator and storage wired as in a deployment; egress leads back to the notification route.
final class Shop: Sendable {
    struct Timer {
        var instance: String
        var request: HostScheduleRequest
        var tenant: String
        var attempt: UInt32 = 1
    }

    struct Delivery: Sendable {
        var request: HTTPRequest
        var status: UInt32
        var body: String
    }

    let host = TestHost()
    let probe: PluginHost
    let timers = Mutex<[Timer]>([])
    let deliveries = Mutex<[Delivery]>([])
    /// Errors of the next calls to the ledger's Post.
    let ledgerErrors = Mutex<[PluginError]>([])
    /// False: notifications get lost on their way.
    let delivers = Mutex(true)

    init() async throws {
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        for feature in ["ledger.storage", "simulator.storage", "orders.storage"] { host.route(feature, to: "sqlite") }
        probe = try await TableProbe.install(host, as: "orders", storage: "orders.storage")
        serveHost()
        try await host.install(Ledger.self, manifest: .plugin("Money/Ledger"), instance: "ledger")
        try await host.install(
            PaymentSimulator.self, manifest: .plugin("Money/PaymentSimulator"), instance: "simulator")
        host.route("orders.ledger", to: "ledger")
        host.route("orders.payment", to: "simulator")
        host.route("ledger", to: "ledger")
        host.route("payment", to: "simulator")
        try await host.install(Orders.self, manifest: .plugin("Money/Orders"), instance: "orders")
        host.route("orders", to: "orders")
        host.route("log", to: "sqlite", capability: "theatre.events.v1.Log")
    }

    private func serveHost() {
        host.serve("theatre.host.v1.Timers/Schedule") { [weak self] (request: HostScheduleRequest, call) in
            self?.set(Timer(instance: call.context.caller, request: request, tenant: call.tenant))
            return HostScheduleResponse()
        }
        host.serve("theatre.host.v1.Keys/Mac") { (request: HostMacRequest, _) in
            HostMacResponse.with { $0.mac = Data(Digest.hmacSHA256(key: Array("secret".utf8), Array(request.data))) }
        }
        host.serve("theatre.host.v1.Keys/VerifyMac") { (request: HostVerifyMacRequest, _) in
            let mac = Digest.hmacSHA256(key: Array("secret".utf8), Array(request.data))
            return HostVerifyMacResponse.with { $0.valid = Digest.equal(mac, Array(request.mac)) }
        }
        host.serve("theatre.host.v1.Egress/Fetch") { [weak self] (request: HostFetchRequest, _) in
            guard let self, self.delivers.withLock({ $0 }) else {
                throw PluginError(.unavailable, "egress.timeout", "Lost on its way.", effect: .unknown)
            }
            return try await self.loopBack(request)
        }
        host.serve("orders.ledger/Post") { [weak self] (request: LedgerPostRequest, _) in
            guard let self else { throw CancellationError() }
            let error = self.ledgerErrors.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let error { throw error }
            return try await self.ledger.post(request)
        }
    }

    // MARK: Clients

    var ledger: LedgerClient { LedgerClient(host.scope(), feature: "ledger") }
    var provider: PaymentProviderClient { PaymentProviderClient(host.scope(), feature: "payment") }

    func orders(_ user: String = "usr_1", key: String = "") -> OrdersClient {
        OrdersClient(host.scope(principal: user) { $0.idempotencyKey = key }, feature: "orders")
    }

    /// What the notification route does with a request.
    func notify(_ request: HTTPRequest) async throws -> HTTPResponse {
        try await HTTPHandlerClient(host.scope(), feature: "orders").handle(request)
    }

    private func loopBack(_ fetch: HostFetchRequest) async throws -> HostFetchResponse {
        let prefix = "http://self.theatre"
        guard fetch.url.hasPrefix(prefix) else {
            throw PluginError(.permissionDenied, "egress.refused", "Not granted.")
        }
        let request = Self.request(path: String(fetch.url.dropFirst(prefix.count)), fetch)
        let answer: HTTPResponse
        do {
            answer = try await notify(request)
        } catch {
            answer = HTTPResponse.with { $0.status = 500 }
        }
        let delivery = Delivery(
            request: request, status: answer.status, body: String(decoding: answer.body, as: UTF8.self))
        deliveries.withLock { $0.append(delivery) }
        return .with {
            $0.status = answer.status
            $0.body = answer.body
        }
    }

    private static func request(path: String, _ fetch: HostFetchRequest) -> HTTPRequest {
        let provider = path.split(separator: "/").dropLast().last.map(String.init) ?? ""
        return .with {
            $0.method = fetch.method
            $0.path = path
            $0.route = "/api/v1/payments/{provider}/notify"
            $0.pathParameters = [pair("provider", provider)]
            $0.headers = fetch.headers.map { pair($0.name, $0.value) }
            $0.body = fetch.body
        }
    }

    static func pair(_ name: String, _ value: String) -> HTTPPair {
        .with {
            $0.name = name
            $0.value = value
        }
    }

    // MARK: Time

    private func set(_ timer: Timer) {
        timers.withLock { timers in
            timers.removeAll { $0.instance == timer.instance && $0.request.name == timer.request.name }
            timers.append(timer)
        }
    }

    /// Fires what is due within a time, in order, as the host would: again after an error.
    func run(_ milliseconds: Int64) async throws {
        let end = host.now + milliseconds
        while let timer = next(until: end) {
            if timer.request.at > host.now { host.advance(milliseconds: UInt64(timer.request.at - host.now)) }
            do {
                try await host.fire(
                    timer: timer.request.name, payload: Array(timer.request.payload), on: timer.instance,
                    tenant: timer.tenant, attempt: timer.attempt)
            } catch {
                var again = timer
                again.attempt += 1
                again.request.at = host.now + 1000
                set(again)
            }
        }
        if end > host.now { host.advance(milliseconds: UInt64(end - host.now)) }
    }

    private func next(until end: Int64) -> Timer? {
        timers.withLock { timers in
            guard let first = timers.filter({ $0.request.at <= end }).min(by: { $0.request.at < $1.request.at })
            else { return nil }
            timers.removeAll { $0.instance == first.instance && $0.request.name == first.request.name }
            return first
        }
    }

    // MARK: Steps of a test

    func buy(_ chips: Int64 = 100, user: String = "usr_1", fault: String = "") async throws -> OrdersOrder {
        let order = try await order(chips, user: user)
        return try await pay(order.id, user: user, fault: fault)
    }

    func order(_ chips: Int64 = 100, user: String = "usr_1") async throws -> OrdersOrder {
        try await orders(user).createOrder(
            .with {
                $0.chips = chips
                $0.currency = "CNY"
            })
    }

    func pay(_ id: String, user: String = "usr_1", fault: String = "", key: String = "") async throws -> OrdersOrder {
        try await orders(user, key: key).payOrder(
            .with {
                $0.orderID = id
                $0.fault = fault
            })
    }

    func refund(_ id: String, _ amount: Int64, key: String = "") async throws -> OrdersOrderRefund {
        try await orders(key: key).refundOrder(
            .with {
                $0.orderID = id
                $0.amount = amount
                $0.reason = "test"
            })
    }

    func get(_ id: String, user: String = "usr_1") async throws -> OrdersOrder {
        try await orders(user).getOrder(.with { $0.orderID = id })
    }

    func chips(_ user: String = "usr_1") async throws -> LedgerBalance {
        try await ledger.getBalance(.with { $0.account = "user:\(user):CHIP" })
    }

    func spend(_ chips: Int64, user: String = "usr_1") async throws {
        _ = try await ledger.post(
            .with {
                $0.key = "spend-\(user)-\(chips)"
                $0.postings = [
                    .posting("user:\(user):CHIP", -chips, "CHIP"), .posting("system:shop:CHIP", chips, "CHIP"),
                ]
            })
    }

    func booksHold() async throws -> Bool { try await ledger.verify(LedgerVerifyRequest()).ok }

    func events(_ prefix: String) async throws -> [String] { try await rawEvents(prefix).map(\.type) }

    func rawEvents(_ prefix: String) async throws -> [EventsEvent] {
        let log = EventsLogClient(host.scope(), feature: "log")
        return try await log.read(
            .with {
                $0.types = [prefix]
                $0.limit = 1000
            }
        ).events
    }
}

/// The reason a call is refused with; empty where it is not.
func reason(_ body: () async throws -> some Any) async -> String {
    do {
        _ = try await body()
        return ""
    } catch let error as PluginError {
        return error.reason
    } catch {
        return "\(error)"
    }
}
