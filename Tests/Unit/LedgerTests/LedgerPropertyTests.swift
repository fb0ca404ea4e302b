// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Ledger

/// What the ledger should have, kept in memory.
private struct Model {
    struct Held {
        var user: String
        var amount: Int64
        var phase = HoldPhase.held
    }

    var balances: [String: Int64] = [:]
    var holds: [String: Held] = [:]

    func available(_ user: String) -> Int64 {
        balances[user, default: 0]
            - holds.values.filter { $0.user == user && $0.phase == .held }.reduce(0) { $0 + $1.amount }
    }
}

@Suite struct LedgerPropertyTests {
    @Test(arguments: [1, 2, 3] as [UInt64]) func randomOperationsAgreeWithAModel(_ seed: UInt64) async throws {
        let f = try await LedgerFixture()
        var random = SeededGenerator(seed: seed)
        var model = Model()
        let users = ["usr_a", "usr_b", "usr_c"]
        for step in 0..<80 {
            let user = users[Int.random(in: 0..<3, using: &random)]
            let amount = Int64.random(in: 1...50, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                try await f.credit(user, amount, key: "c\(step)")
                model.balances[user, default: 0] += amount
            case 1:
                let refused = await reason { try await f.credit(user, -amount, key: "d\(step)") }
                #expect(refused == (amount <= model.available(user) ? "" : "ledger.insufficient_funds"))
                if refused.isEmpty { model.balances[user, default: 0] -= amount }
            case 2:
                let key = "h\(step)"
                let refused = await reason { try await f.client().hold(LedgerFixture.hold(key, user, amount)) }
                #expect(refused == (amount <= model.available(user) ? "" : "ledger.insufficient_funds"))
                if refused.isEmpty { model.holds[key] = .init(user: user, amount: amount) }
            default:
                guard let key = model.holds.keys.sorted().randomElement(using: &random), let hold = model.holds[key]
                else { continue }
                let settles = Bool.random(using: &random)
                let refused = await reason {
                    settles
                        ? try await f.client().settle(LedgerFixture.settle(key))
                        : try await f.client().void(.with { $0.key = key })
                }
                switch (hold.phase, settles) {
                case (.held, true):
                    #expect(refused == "")
                    model.holds[key]?.phase = .settled
                    model.balances[hold.user, default: 0] -= hold.amount
                case (.held, false):
                    #expect(refused == "")
                    model.holds[key]?.phase = .voided
                case (.settled, true), (.voided, false): #expect(refused == "")
                default: #expect(refused == "ledger.hold_\(hold.phase.rawValue)")
                }
            }
        }
        for user in users {
            let balance = try await f.balance(user)
            #expect(balance.balance == model.balances[user, default: 0])
            #expect(balance.available == model.available(user))
        }
        let proof = try await f.client().verify(LedgerVerifyRequest())
        #expect(proof.ok, "\(proof.faults)")
        #expect(f.host.violations.isEmpty)
    }

    @Test func concurrentSpendingNeverOverdraws() async throws {
        let f = try await LedgerFixture()
        try await f.credit("usr_a", 50, key: "c")
        let spent = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<20 {
                group.addTask { await reason { try await f.credit("usr_a", -10, key: "d\(index)") } == "" }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(spent == 5)
        #expect(try await f.balance("usr_a").balance == 0)
        #expect(try await f.client().verify(LedgerVerifyRequest()).ok)
    }
}
