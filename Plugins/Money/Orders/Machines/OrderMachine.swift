// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where an order stands.
enum OrderPhase: String, Sendable, CaseIterable {
    case created, paying, paid, fulfilled, closed, refunding, refunded
    case partiallyRefunded = "partially_refunded"
}

/// An order's life. It does nothing itself: each step says whether it was taken.
struct OrderMachine: Sendable, Equatable {
    private(set) var phase: OrderPhase
    /// Minor units of the currency.
    let price: Int64
    let chips: Int64
    /// Minor units given back.
    private(set) var refunded: Int64
    /// Chips taken back.
    private(set) var chipsBack: Int64

    init(phase: OrderPhase = .created, price: Int64, chips: Int64, refunded: Int64 = 0, chipsBack: Int64 = 0) {
        self.phase = phase
        self.price = price
        self.chips = chips
        self.refunded = refunded
        self.chipsBack = chipsBack
    }

    /// A payment starts.
    mutating func pay() -> Bool { move(from: [.created], to: .paying) }

    /// The payment has failed; another may be tried.
    mutating func paymentFailed() -> Bool { move(from: [.paying], to: .created) }

    /// The money is ours.
    mutating func paid() -> Bool { move(from: [.paying], to: .paid) }

    /// The chips are theirs.
    mutating func fulfilled() -> Bool { move(from: [.paid], to: .fulfilled) }

    /// A refund starts; the answer is how many chips it takes back, nil where it may not start.
    mutating func refund(_ amount: Int64) -> Int64? {
        guard amount > 0, amount <= price - refunded, let total = chipsFor(refunded: refunded + amount),
            move(from: [.fulfilled, .partiallyRefunded], to: .refunding)
        else { return nil }
        return total - chipsBack
    }

    /// The refund has arrived.
    mutating func refundSucceeded(_ amount: Int64, chips: Int64) -> Bool {
        guard phase == .refunding, amount > 0, amount <= price - refunded, chips <= self.chips - chipsBack else {
            return false
        }
        refunded += amount
        chipsBack += chips
        phase = refunded == price ? .refunded : .partiallyRefunded
        return true
    }

    /// The refund came to nothing.
    mutating func refundFailed() -> Bool {
        move(from: [.refunding], to: refunded > 0 ? .partiallyRefunded : .fulfilled)
    }

    /// Chips that go back for a part of the price, rounded up: no money goes back for nothing.
    private func chipsFor(refunded: Int64) -> Int64? {
        guard price > 0 else { return nil }
        let (high, low) = chips.multipliedFullWidth(by: refunded)
        // Below the price, the quotient is below the number of chips, so the division cannot run over.
        let (quotient, remainder) = price.dividingFullWidth((high, low))
        return quotient + (remainder > 0 ? 1 : 0)
    }

    private mutating func move(from: [OrderPhase], to: OrderPhase) -> Bool {
        guard from.contains(phase) else { return false }
        phase = to
        return true
    }
}
