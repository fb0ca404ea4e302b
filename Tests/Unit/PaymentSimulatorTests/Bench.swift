// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import PaymentSimulator
@testable import SQLite

/// A simulator over real storage, with a merchant that answers as it is told.
final class Bench: Sendable {
    let host = TestHost()
    let timers = Mutex<[HostScheduleRequest]>([])
    let sent = Mutex<[HostFetchRequest]>([])
    /// Statuses of the merchant's next answers; 200 after them.
    let answers = Mutex<[UInt32]>([])
    /// Bodies of the merchant's next answers; OK after them.
    let bodies = Mutex<[String]>([])

    init() async throws {
        host.serve("theatre.host.v1.Timers/Schedule") { [weak self] (request: HostScheduleRequest, _) in
            self?.timers.withLock { timers in
                timers.removeAll { $0.name == request.name }
                timers.append(request)
            }
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
            self?.sent.withLock { $0.append(request) }
            let status = self?.answers.withLock { $0.isEmpty ? 200 : $0.removeFirst() } ?? 500
            let body = self?.bodies.withLock { $0.isEmpty ? "OK" : $0.removeFirst() } ?? ""
            return HostFetchResponse.with {
                $0.status = status
                $0.body = Data(body.utf8)
            }
        }
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("simulator.storage", to: "sqlite")
        try await host.install(
            PaymentSimulator.self, manifest: .plugin("Money/PaymentSimulator"), instance: "simulator")
        host.route("payment", to: "simulator")
    }

    var client: PaymentProviderClient { PaymentProviderClient(host.scope(), feature: "payment") }

    func create(
        amount: Int64 = 100, fault: String = "",
        notifyURL: String = "http://127.0.0.1:8080/api/v1/payments/simulator/notify"
    ) async throws -> PaymentPayment {
        try await client.createPayment(
            .with {
                $0.number = "pay_000001"
                $0.amount.amount = amount
                $0.amount.currency = "CNY"
                $0.notifyURL = notifyURL
                $0.channel = "native"
                $0.fault = fault
            })
    }

    func query(_ number: String = "pay_000001") async throws -> PaymentPayment {
        try await client.queryPayment(.with { $0.number = number })
    }

    func close() async throws -> PaymentPayment { try await client.closePayment(.with { $0.number = "pay_000001" }) }

    func refund(_ number: String, _ amount: Int64) async throws -> PaymentRefund {
        try await client.createRefund(
            .with {
                $0.paymentNumber = "pay_000001"
                $0.refundNumber = number
                $0.amount.amount = amount
                $0.amount.currency = "CNY"
                $0.total.amount = 100
                $0.total.currency = "CNY"
            })
    }

    /// What the provider makes of a notification it sent.
    func verify(_ sent: HostFetchRequest) async throws -> PaymentVerifyNotificationResponse {
        try await client.verifyNotification(
            .with {
                $0.request.method = sent.method
                $0.request.body = sent.body
                $0.request.headers = sent.headers.map { header in
                    .with {
                        $0.name = header.name
                        $0.value = header.value
                    }
                }
            })
    }

    /// Fires every timer in its order, moving the clock to it.
    func fireAll() async throws {
        while let timer = next() {
            if timer.at > host.now { host.advance(milliseconds: UInt64(timer.at - host.now)) }
            try await host.fire(timer: timer.name, on: "simulator", tenant: "default")
        }
    }

    private func next() -> HostScheduleRequest? {
        timers.withLock { timers in
            guard let first = timers.min(by: { $0.at < $1.at }) else { return nil }
            timers.removeAll { $0.name == first.name }
            return first
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
}
