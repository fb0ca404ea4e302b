// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Orders

@Suite struct MachineTests {
    private static let reports: [PaymentReport] = [.pending, .succeeded, .failed("x"), .noAnswer, .notFound]
    private static let refundReports: [RefundReport] = [.pending, .succeeded, .failed, .noAnswer, .notFound]

    /// An attempt is paid at most once and never after it failed, whatever the provider says and in what order.
    @Test(arguments: 0..<200 as Range<UInt64>) func attemptEndsOnce(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var attempt = AttemptMachine()
        var ends: [AttemptMachine.Step] = []
        for _ in 0..<40 {
            let report = try #require(Self.reports.randomElement(using: &random))
            let before = attempt
            let step = attempt.report(report, isOld: Bool.random(using: &random))
            if step == .paid || step == .failed { ends.append(step) }
            if step == .same || step == .conflict { #expect(attempt == before) }
            if !before.phase.isLive { #expect(attempt == before) }
        }
        #expect(ends.count <= 1)
    }

    @Test func timeoutIsUnknownAndNeverFailed() {
        var attempt = AttemptMachine()
        let reports: [(PaymentReport, Bool)] = [
            (.noAnswer, false), (.noAnswer, true), (.notFound, false), (.notFound, true), (.succeeded, true),
        ]
        let steps = reports.map { attempt.report($0.0, isOld: $0.1) }
        #expect(steps == [.waits, .same, .same, .failed, .conflict])
        #expect(attempt.phase == .failed && attempt.failure == "payment.never_arrived")
    }

    /// One credit, never more refunded than paid, and every chip accounted for.
    @Test(arguments: 0..<200 as Range<UInt64>) func randomLifeOfAnOrderKeepsItsMoney(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var order = OrderMachine(
            price: Int64.random(in: 1...5000, using: &random), chips: Int64.random(in: 1...3000, using: &random))
        var credits = 0
        var held: Int64 = 0
        var taken: Int64 = 0
        var live: (amount: Int64, chips: Int64, machine: RefundMachine)?
        for _ in 0..<120 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: _ = order.pay()
            case 1: _ = order.paymentFailed()
            case 2: _ = order.paid()
            case 3: if order.fulfilled() { credits += 1 }
            case 4:
                let amount = Int64.random(in: -5...(order.price + 5), using: &random)
                guard let chips = order.refund(amount) else { continue }
                #expect(live == nil && chips >= 0)
                live = (amount, chips, RefundMachine())
            default:
                guard var refund = live else { continue }
                let report = try #require(Self.refundReports.randomElement(using: &random))
                switch refund.machine.next {
                case .hold:
                    let isHeld = refund.machine.held()
                    #expect(isHeld)
                    held += refund.chips
                case .send, .ask: _ = refund.machine.report(report)
                case .settle:
                    let isSettled = refund.machine.settled()
                    let isTaken = order.refundSucceeded(refund.amount, chips: refund.chips)
                    #expect(isSettled && isTaken)
                    held -= refund.chips
                    taken += refund.chips
                case .void:
                    let isVoided = refund.machine.voided()
                    let isBack = order.refundFailed()
                    #expect(isVoided && isBack)
                    held -= refund.chips
                case .nothing: break
                }
                live = refund.machine.phase.isFinal ? nil : refund
            }
            #expect(credits <= 1)
            #expect(order.refunded <= order.price && order.chipsBack <= order.chips)
            #expect(taken == order.chipsBack)
            #expect(held == 0 || live != nil)
            #expect((order.phase == .refunded) == (order.refunded == order.price))
            if order.phase == .refunded { #expect(order.chipsBack == order.chips) }
            if order.refunded > 0 { #expect(credits == 1) }
        }
    }

    @Test func chipsOfARefundAreRoundedUp() {
        var order = OrderMachine(phase: .fulfilled, price: 1000, chips: 100)
        // The chip of the second part's price is taken with the first.
        let parts = [Int64(1), 9, 990].map { amount in
            let chips = order.refund(amount) ?? -1
            return order.refundSucceeded(amount, chips: chips) ? chips : -1
        }
        #expect(parts == [1, 0, 99])
        #expect(order.phase == .refunded)
    }

    @Test func largeOrderDoesNotRunOver() {
        var order = OrderMachine(phase: .fulfilled, price: .max, chips: .max)
        let chips = order.refund(.max)
        #expect(chips == .max)
    }
}
