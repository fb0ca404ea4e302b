// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Ledger

/// What a person with a long history is told.
struct LedgerExportTests {
    private struct Export: Decodable {
        struct Entry: Decodable { var memo: String }
        var entries: [Entry]
        var truncated: Bool
    }

    private func export(_ fixture: LedgerFixture) async throws -> (json: String, read: Export) {
        fixture.host.route("holder", to: "ledger", capability: "theatre.privacy.v1.Holder")
        let holder = PrivacyHolderClient(fixture.host.scope(), feature: "holder")
        let json = try await holder.export(.with { $0.person = "usr_1" }).json
        return (json, try JSONDecoder().decode(Export.self, from: Data(json.utf8)))
    }

    private func post(_ number: Int, _ memo: String, _ fixture: LedgerFixture) async throws {
        var entry = LedgerFixture.entry("k\(number)", "user:usr_1:CHIP", 1)
        entry.memo = memo
        _ = try await fixture.client().post(entry)
    }

    @Test func aBigLedgerIsToldInPartTheNewestFirst() async throws {
        let fixture = try await LedgerFixture()
        // Six bytes of JSON each: what counts is what is sent.
        let memo = String(repeating: "\u{1}", count: 490)
        for number in 0..<120 { try await post(number, "\(memo)\(number)", fixture) }
        let (json, read) = try await export(fixture)
        #expect(json.utf8.count < 160_000 && json.utf8.count > 100_000)
        #expect(read.truncated && read.entries.count < 120)
        #expect(read.entries.first?.memo.hasSuffix("\u{1}119") == true)
    }

    @Test func whatFitsIsToldWholeOverSeveralPages() async throws {
        let fixture = try await LedgerFixture()
        for number in 0..<120 { try await post(number, "no. \(number)", fixture) }
        let (_, read) = try await export(fixture)
        #expect(read.entries.map(\.memo) == (0..<120).reversed().map { "no. \($0)" } && !read.truncated)
    }
}
