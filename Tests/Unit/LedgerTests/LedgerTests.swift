// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Ledger

@Suite struct LedgerTests {
    typealias F = LedgerFixture

    @Test func entryIsPostedOnceUnderItsKey() async throws {
        let f = try await LedgerFixture()
        let first = try await f.credit("usr_1", 100, key: "k1")
        let again = try await f.credit("usr_1", 100, key: "k1")
        #expect(first == again)
        #expect(first.id.hasPrefix("ent_"))
        #expect(try await f.balance("usr_1").balance == 100)
        #expect(await reason { try await f.credit("usr_1", 101, key: "k1") } == "ledger.key_reused")
        #expect(try await f.client().findEntry(.with { $0.key = "k1" }) == first)
        #expect(await reason { try await f.client().findEntry(.with { $0.key = "k2" }) } == "ledger.no_entry")
    }

    @Test(arguments: [
        ("ledger.unbalanced", [F.posting("user:a:CHIP", 5), F.posting("system:issued:CHIP", -4)]),
        ("ledger.currency", [F.posting("user:a:CHIP", 5, "CNY"), F.posting("system:issued:CHIP", -5)]),
        ("ledger.count", [F.posting("user:a:CHIP", 5)]),
        ("ledger.bad_account", [F.posting("user:a", 5), F.posting("system:issued:CHIP", -5)]),
        ("ledger.bad_account", [F.posting("user::CHIP", 5), F.posting("system:issued:CHIP", -5)]),
        ("ledger.bad_amount", [F.posting("user:a:CHIP", 0), F.posting("system:issued:CHIP", 0)]),
        ("ledger.bad_amount", [F.posting("user:a:CHIP", .min), F.posting("system:issued:CHIP", .min)]),
        ("ledger.insufficient_funds", [F.posting("user:a:CHIP", -5), F.posting("system:issued:CHIP", 5)]),
        ("ledger.insufficient_funds", [F.posting("escrow:a:CHIP", -5), F.posting("user:a:CHIP", 5)]),
    ])
    func badEntryChangesNothing(_ expected: String, _ postings: [LedgerPosting]) async throws {
        let f = try await LedgerFixture()
        let request = LedgerPostRequest.with {
            $0.key = "k"
            $0.postings = postings
        }
        #expect(await reason { try await f.client().post(request) } == expected)
        let proof = try await f.client().verify(LedgerVerifyRequest())
        #expect(proof.ok && proof.postings == 0)
    }

    @Test func balanceThatWouldRunOverIsRefused() async throws {
        let f = try await LedgerFixture()
        // 20 entries of 50 times 2^53 fit 64 bits; the 21st does not.
        let half = Array(repeating: F.posting("user:usr_1:CHIP", Amount.most), count: 50)
        let other = Array(repeating: F.posting("system:issued:CHIP", -Amount.most), count: 50)
        var refusals: [String] = []
        for index in 0...20 {
            let request = LedgerPostRequest.with {
                $0.key = "k\(index)"
                $0.postings = half + other
            }
            refusals.append(await reason { try await f.client().post(request) })
        }
        #expect(refusals == Array(repeating: "", count: 20) + ["ledger.overflow"])
        #expect(try await f.balance("usr_1").balance == 1000 * Amount.most)
        #expect(try await f.client().verify(LedgerVerifyRequest()).ok)
    }

    @Test func holdReservesSettlesAndFreesTheRest() async throws {
        let f = try await LedgerFixture()
        try await f.credit("usr_1", 100, key: "k")
        let held = try await f.client().hold(F.hold("h", "usr_1", 60))
        #expect(held.status == .held)
        #expect(try await f.client().hold(F.hold("h", "usr_1", 60)) == held)
        #expect(await reason { try await f.client().hold(F.hold("h", "usr_1", 61)) } == "ledger.key_reused")
        #expect(await reason { try await f.client().hold(F.hold("h2", "usr_1", 41)) } == "ledger.insufficient_funds")
        #expect(await reason { try await f.credit("usr_1", -41, key: "spend") } == "ledger.insufficient_funds")
        let before = try await f.balance("usr_1")
        #expect(before.balance == 100 && before.held == 60 && before.available == 40)
        #expect(await reason { try await f.client().settle(F.settle("h", 61)) } == "ledger.bad_amount")
        let settled = try await f.client().settle(F.settle("h", 25))
        #expect(settled.status == .settled && settled.settledAmount == 25 && settled.entryID.hasPrefix("ent_"))
        #expect(try await f.client().settle(F.settle("h", 25)) == settled)
        #expect(await reason { try await f.client().settle(F.settle("h", 26)) } == "ledger.hold_settled")
        #expect(await reason { try await f.client().void(.with { $0.key = "h" }) } == "ledger.hold_settled")
        let after = try await f.balance("usr_1")
        #expect(after.balance == 75 && after.held == 0)
        #expect(try await f.client().verify(LedgerVerifyRequest()).ok)
    }

    @Test func voidedHoldCannotBeSettled() async throws {
        let f = try await LedgerFixture()
        try await f.credit("usr_1", 10, key: "k")
        _ = try await f.client().hold(F.hold("h", "usr_1", 10))
        let voided = try await f.client().void(.with { $0.key = "h" })
        #expect(voided.status == .voided)
        #expect(try await f.client().void(.with { $0.key = "h" }) == voided)
        #expect(await reason { try await f.client().settle(F.settle("h")) } == "ledger.hold_voided")
        #expect(try await f.balance("usr_1").available == 10)
        #expect(await reason { try await f.client().void(.with { $0.key = "x" }) } == "ledger.no_hold")
    }

    @Test func timeFreesAHold() async throws {
        let f = try await LedgerFixture()
        try await f.credit("usr_1", 10, key: "k")
        let held = try await f.client().hold(F.hold("h", "usr_1", 10, expiresAt: f.host.now + 1000))
        let timer = try #require(f.timers.withLock { $0.last })
        #expect(timer.name == "hold:\(held.id)" && timer.at == f.host.now + 1000)
        f.host.advance(milliseconds: 1001)
        #expect(try await f.balance("usr_1").available == 10)
        #expect(try await f.client().findHold(.with { $0.key = "h" }).status == .expired)
        #expect(await reason { try await f.client().settle(F.settle("h")) } == "ledger.hold_expired")
        // Touching the account writes it down; so does the timer, again without effect.
        try await f.credit("usr_1", -10, key: "spend")
        try await f.host.fire(timer: timer.name, payload: Array(timer.payload), on: "ledger", tenant: "default")
        #expect(try await f.client().verify(LedgerVerifyRequest()).ok)
        #expect(try await f.balance("usr_1").balance == 0)
    }

    @Test func holdWithoutEndLastsADay() async throws {
        let f = try await LedgerFixture()
        try await f.credit("usr_1", 10, key: "k")
        _ = try await f.client().hold(F.hold("h", "usr_1", 10))
        #expect(f.timers.withLock { $0.last?.at } == f.host.now + 86_400_000)
    }

    @Test func storedPostingsCannotBeChanged() async throws {
        let f = try await LedgerFixture()
        try await f.credit("usr_1", 10, key: "k")
        try await f.host.install(Vandal.self, manifest: Vandal.manifest, instance: "ledger")
        f.host.route("vandal", to: "ledger")
        let vandal = Caller(f.host.scope(), feature: "vandal")
        func run(_ sql: String) async throws -> HostFireResponse {
            try await vandal.unary("Run", HostFireRequest.with { $0.name = sql }, CallOptions())
        }
        #expect(await reason { try await run("/* tenants: all */ UPDATE {accounts} SET version = version") } == "")
        for sql in [
            "/* tenants: all */ UPDATE {postings} SET amount = 11", "/* tenants: all */ DELETE FROM {postings}",
            "/* tenants: all */ DELETE FROM {entries}",
        ] {
            #expect(await reason { try await run(sql) } != "")
        }
        // A balance that was tampered with is found.
        #expect(
            await reason { try await run("/* tenants: all */ UPDATE {accounts} SET balance = 11 WHERE balance = 10") }
                == "")
        try await f.host.install(Ledger.self, manifest: .plugin("Money/Ledger"), instance: "ledger")
        let proof = try await f.client().verify(LedgerVerifyRequest())
        #expect(proof.faults == ["Account user:usr_1:CHIP says 11; its postings sum to 10."])
    }

    @Test func walletShowsOnlyTheBearersOwn() async throws {
        let f = try await LedgerFixture()
        for index in 1...5 { try await f.credit("usr_1", Int64(index), key: "a\(index)") }
        try await f.credit("usr_12", 99, key: "b")
        let wallet = try await f.client("usr_1").getWallet(LedgerGetWalletRequest())
        #expect(wallet.balances.map(\.balance) == [15])
        let first = try await f.client("usr_1").listWalletEntries(.with { $0.limit = 3 })
        #expect(first.items.map(\.amount.amount) == [5, 4, 3])
        // An insert between two pages does not move them.
        try await f.credit("usr_1", 6, key: "a6")
        let second = try await f.client("usr_1").listWalletEntries(
            .with {
                $0.limit = 3
                $0.cursor = first.nextCursor
            })
        #expect(second.items.map(\.amount.amount) == [2, 1] && second.nextCursor.isEmpty)
        #expect(await reason { try await f.client().getWallet(LedgerGetWalletRequest()) } == "ledger.no_principal")
    }

    @Test func tenantsHaveBooksOfTheirOwn() async throws {
        let f = try await LedgerFixture()
        try await f.credit("usr_1", 10, key: "k")
        let other = LedgerClient(f.host.scope(tenant: "other"), feature: "ledger")
        #expect(try await other.getBalance(.with { $0.account = "user:usr_1:CHIP" }).balance == 0)
        #expect(await reason { try await other.findEntry(.with { $0.key = "k" }) } == "ledger.no_entry")
    }
}
