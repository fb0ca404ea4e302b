// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import PaymentSimulator
@testable import SQLite

@Suite struct PaymentSimulatorTests {
    @Test func productionHostIsRefused() async throws {
        let host = TestHost(environment: .with { $0.publicURL = "https://theatre.example" })
        let error = await #expect(throws: PluginError.self) {
            try await host.install(
                PaymentSimulator.self, manifest: .plugin("Money/PaymentSimulator"), instance: "simulator")
        }
        #expect(error?.reason == "simulator.development_only")
    }

    @Test func paymentIsKeptPaidAndToldOf() async throws {
        let bench = try await Bench()
        let created = try await bench.create()
        #expect(created.status == .pending && created.providerReference.hasPrefix("sim_"))
        // The number is the idempotency key.
        #expect(try await bench.create() == created)
        #expect(await bench.reason { try await bench.create(amount: 2) } == "payment.number_reused")
        try await bench.fireAll()
        #expect(try await bench.query().status == .succeeded)
        let sent = try #require(bench.sent.withLock { $0.first })
        #expect(sent.url == "http://self.theatre/api/v1/payments/simulator/notify" && sent.method == "POST")
        let told = try await bench.verify(sent)
        #expect(told.payment == (try await bench.query()))
        #expect(told.acknowledge.status == 200 && told.acknowledge.body == Data("OK".utf8))
        #expect(told.refuse.status == 500)
        #expect(await bench.reason { try await bench.close() } == "payment.paid")
        #expect(await bench.reason { try await bench.query("pay_none") } == "payment.unknown")
    }

    @Test func notificationIsRepeatedWithItsIDUntilItIsTaken() async throws {
        let bench = try await Bench()
        bench.answers.withLock { $0 = [503, 200, 200] }
        bench.bodies.withLock { $0 = ["", "NO", "OK"] }
        _ = try await bench.create()
        try await bench.fireAll()
        let sent = bench.sent.withLock { $0 }
        #expect(sent.count == 3)
        var ids: Set<String> = []
        for request in sent { ids.insert(try await bench.verify(request).notificationID) }
        #expect(ids.count == 1)
    }

    @Test func notificationIsGivenUpAfterEightAttempts() async throws {
        let bench = try await Bench()
        bench.answers.withLock { $0 = Array(repeating: 500, count: 20) }
        _ = try await bench.create()
        try await bench.fireAll()
        #expect(bench.sent.withLock { $0.count } == 8)
    }

    @Test(arguments: ["timestamp", "body", "signature", "window"]) func forgedNotificationIsRefused(_ what: String)
        async throws
    {
        let bench = try await Bench()
        _ = try await bench.create()
        try await bench.fireAll()
        var sent = try #require(bench.sent.withLock { $0.first })
        switch what {
        case "timestamp": sent.headers[1].value = "x"
        case "body": sent.body.append(0x20)
        case "signature": sent.headers[3].value = String(repeating: "0", count: 64)
        default: bench.host.advance(milliseconds: 400_000)
        }
        #expect(await bench.reason { try await bench.verify(sent) } == "payment.bad_signature")
    }

    @Test(arguments: Fault.allCases) func faultDoesWhatItSays(_ fault: Fault) async throws {
        let bench = try await Bench()
        let refused = await bench.reason { try await bench.create(fault: fault.rawValue) }
        #expect(refused == (fault == .unknown ? "payment.no_answer" : ""))
        let start = bench.host.now
        try await bench.fireAll()
        #expect(try await bench.query().status == (fault == .fail ? .failed : .succeeded))
        let sent = bench.sent.withLock { $0 }
        switch fault {
        case .duplicate: #expect(sent.count == 3)
        case .drop: #expect(sent.isEmpty)
        case .forge:
            #expect(sent.count == 2)
            #expect(await bench.reason { try await bench.verify(sent[0]) } == "payment.bad_signature")
            #expect(try await bench.verify(sent[1]).payment.status == .succeeded)
        case .alterAmount: #expect(try await bench.verify(sent[0]).payment.amount.amount == 101)
        case .delay: #expect(bench.host.now - start >= 2000)
        case .reorder: #expect(bench.host.now - start >= 5000)
        default: #expect(sent.count == 1)
        }
    }

    @Test func refundsDoNotExceedThePayment() async throws {
        let bench = try await Bench()
        _ = try await bench.create()
        #expect(await bench.reason { try await bench.refund("r1", 10) } == "payment.not_paid")
        try await bench.fireAll()
        let refund = try await bench.refund("r1", 60)
        #expect(refund.status == .pending)
        #expect(try await bench.refund("r1", 60) == refund)
        #expect(await bench.reason { try await bench.refund("r1", 61) } == "payment.number_reused")
        #expect(await bench.reason { try await bench.refund("r2", 41) } == "payment.refund_exceeds")
        try await bench.fireAll()
        let request = PaymentQueryRefundRequest.with { $0.refundNumber = "r1" }
        #expect(try await bench.client.queryRefund(request).status == .succeeded)
        let sent = try #require(bench.sent.withLock { $0.last })
        #expect(try await bench.verify(sent).refund.refundNumber == "r1")
    }

    @Test func closedPaymentIsNotPaid() async throws {
        let bench = try await Bench()
        _ = try await bench.create()
        #expect(try await bench.close().status == .closed)
        try await bench.fireAll()
        #expect(try await bench.query().status == .closed)
        #expect(bench.sent.withLock { $0.isEmpty })
    }

    @Test(arguments: [
        "https://elsewhere.example/notify", "http://127.0.0.1:8080.evil.example/x", "http://127.0.0.1:8080/x?y=1",
    ])
    func foreignNotifyURLIsRefused(_ url: String) async throws {
        let bench = try await Bench()
        #expect(await bench.reason { try await bench.create(notifyURL: url) } == "payment.bad_request")
    }
}
