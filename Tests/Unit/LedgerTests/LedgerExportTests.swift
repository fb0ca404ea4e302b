// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Ledger

/// What a person with a long history is told: all of it.
struct LedgerExportTests {
    private struct Export: Decodable {
        struct Balance: Decodable { var account: String, balance: Int64 }
        struct Entry: Decodable { var id: String, memo: String }
        var balances: [Balance]?
        var entries: [Entry]?
    }

    private func export(_ fixture: LedgerFixture) async throws -> [Export] {
        fixture.host.route("holder", to: "ledger", capability: "theatre.privacy.v1.Holder")
        let holder = PrivacyHolderClient(fixture.host.scope(), feature: "holder")
        return try await HolderPages.all(of: "usr_1", from: holder).map { json in
            try JSONDecoder().decode(Export.self, from: Data(json.utf8))
        }
    }

    private func post(_ number: Int, _ memo: String, _ fixture: LedgerFixture) async throws {
        var entry = LedgerFixture.entry("k\(number)", "user:usr_1:CHIP", 1)
        entry.memo = memo
        _ = try await fixture.client().post(entry)
    }

    @Test func everyEntryOfABigLedgerIsInOnePage() async throws {
        let fixture = try await LedgerFixture()
        var random = SeededGenerator(seed: 11)
        // Six bytes of JSON each: what counts is what is sent.
        let memos = (0..<350).map { number in
            String(repeating: "\u{1}", count: .random(in: 300...490, using: &random)) + "\(number)"
        }
        for (number, memo) in memos.enumerated() { try await post(number, memo, fixture) }
        let pages = try await export(fixture)
        #expect(pages.count > 2)
        #expect(pages.flatMap { $0.entries ?? [] }.map(\.memo) == memos.reversed())
        #expect(pages[0].balances?.map(\.balance) == [350])
        #expect(pages.dropFirst().allSatisfy { $0.balances == nil })
    }

    /// Two of one entry are two rows.
    @Test func bothSidesOfAnEntryAreThere() async throws {
        let fixture = try await LedgerFixture()
        for number in 0..<120 { try await post(number, "no. \(number)", fixture) }
        _ = try await fixture.client().post(
            .with {
                $0.key = "exchange"
                $0.memo = "exchange"
                $0.postings = [
                    LedgerFixture.posting("user:usr_1:CHIP", -2), LedgerFixture.posting("system:issued:CHIP", 2),
                    LedgerFixture.posting("user:usr_1:CNY", 1, "CNY"),
                    LedgerFixture.posting("system:issued:CNY", -1, "CNY"),
                ]
            })
        let pages = try await export(fixture)
        #expect(pages.count == 1)
        let memos = (0..<120).reversed().map { "no. \($0)" }
        #expect(pages[0].entries?.map(\.memo) == ["exchange", "exchange"] + memos)
        #expect(pages[0].balances?.map(\.account) == ["user:usr_1:CHIP", "user:usr_1:CNY"])
    }
}
