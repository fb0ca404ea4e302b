// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

/// What is held of a person is told him, all of it, in pages.
struct ExportTests {
    private struct Own: Decodable {
        struct Named: Decodable { var id: String }
        var id: String?
        var email: String?
        var identities: [[String: String]]?
        var sessions: [Named]?
        var keys: [Named]?
        var merges: [Named]?
    }

    /// All pages; each is below 1 MiB for whoever asked.
    private func pages(_ fixture: AccountsFixture, _ account: String) async throws -> [AccountsPersonalExport] {
        var (pages, cursor) = ([AccountsPersonalExport](), "")
        repeat {
            let asked = cursor
            let page = try await fixture.privacy(account).exportMe(.with { $0.cursor = asked })
            #expect(page.accountID == account && page.createdAt == fixture.host.now)
            let bytes: [UInt8] = try page.serializedBytes()
            #expect(bytes.count < 1 << 20)
            #expect(page.nextCursor.isEmpty || page.nextCursor != cursor)
            pages.append(page)
            cursor = page.nextCursor
        } while !cursor.isEmpty && pages.count < 50
        return pages
    }

    private func own(_ pages: [AccountsPersonalExport]) throws -> [Own] {
        try pages.flatMap(\.parts).filter { $0.instance == "accounts" }.map { part in
            try JSONDecoder().decode(Own.self, from: Data(part.data.utf8))
        }
    }

    private func named(_ kind: String, _ count: Int = 3000) -> Set<String> {
        Set((1...count).map { "\(kind)_\($0)" })
    }

    /// Pages of others by their cursor, each of so many KiB: the cursor of one is its number.
    private func serve(_ sizes: [Int], _ fixture: AccountsFixture) {
        fixture.host.serve("theatre.host.v1.PersonalData/Export") { (request: HostExportPersonalRequest, _) in
            guard let number = request.cursor.isEmpty ? 0 : Int(request.cursor), number < sizes.count else {
                throw PluginError.invalid("/cursor", "request.cursor", "This is none.")
            }
            let person = request.person
            return HostExportPersonalResponse.with {
                $0.parts = [
                    .with {
                        $0.instance = "inbox"
                        let text = String(repeating: "x", count: sizes[number] * 1024)
                        $0.json = #"{"of":"\#(person)","number":"\#(number)","text":"\#(text)"}"#
                    }
                ]
                $0.nextCursor = number + 1 < sizes.count ? "\(number + 1)" : ""
            }
        }
    }

    @Test func anExportHasWhatEveryoneHolds() async throws {
        let fixture = try await AccountsFixture()
        serve([0], fixture)
        let account = try await fixture.register().account.id
        let export = try await fixture.privacy(account).exportMe(AccountsExportMeRequest())
        #expect(export.accountID == account && export.parts.map(\.instance) == ["accounts", "inbox"])
        #expect(export.nextCursor.isEmpty)
        let own = try #require(export.parts.first?.data)
        for text in [#""email":"li@example.org""#, #""provider":"password""#, #""second_factor":false"#] {
            #expect(own.contains(text), "\(text) in \(own)")
        }
        #expect(!own.contains("hash") && !own.contains("truncated"))
        #expect(export.parts.last?.data.contains(#""of":"\#(account)""#) == true)
    }

    /// Sessions, keys and merges are in the pages once, whatever their number, and what others hold comes after them.
    @Test func everyRowOfTheAccountsOwnIsInOnePage() async throws {
        let fixture = try await AccountsFixture()
        serve([1], fixture)
        let account = try await fixture.register().account.id
        let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        let long = "substr('\(String(repeating: "s", count: 500))', 1, n.i % 500)"
        // Three of each moment.
        try await fixture.change(
            """
            /* tenants: all */ INSERT INTO {sessions} (tenant, id, account, current, rotated_at, created_at, used_at)
            \(numbers) SELECT 'default', 'old_' || n.i, '\(account)', cast('00' AS BLOB), n.i / 3, n.i / 3, n.i FROM n
            """)
        try await fixture.change(
            """
            /* tenants: all */ INSERT INTO {keys} (tenant, id, account, name, scopes, hash, created_at, expires_at)
            \(numbers) SELECT 'default', 'key_' || n.i, '\(account)', 'k', \(long), cast('hash' || n.i AS BLOB), n.i / 3, n.i FROM n
            """)
        try await fixture.change(
            """
            /* tenants: all */ INSERT INTO {merges} (tenant, id, source, target, merged_at)
            \(numbers) SELECT 'default', 'mrg_' || n.i, 'usr_gone', '\(account)', n.i / 3 FROM n
            """)
        let pages = try await pages(fixture, account)
        let own = try own(pages)
        #expect(pages.count > 3 && own.count == pages.count)
        #expect(own.compactMap(\.email) == ["li@example.org"] && own[0].email != nil)
        #expect(own.flatMap { $0.identities ?? [] }.count == 1)
        let sessions = own.flatMap { $0.sessions ?? [] }.map(\.id)
        let old: Set<String> = named("old")
        #expect(sessions.count == 3001)
        #expect(Set(sessions).isSuperset(of: old))
        let keys = own.flatMap { $0.keys ?? [] }.map(\.id)
        #expect(keys.count == 3000)
        #expect(Set(keys) == named("key"))
        let merges = own.flatMap { $0.merges ?? [] }.map(\.id)
        #expect(merges.count == 3000)
        #expect(Set(merges) == named("mrg"))
        let instances = pages.flatMap(\.parts).map(\.instance)
        #expect(instances.filter { $0 == "inbox" }.count == 1)
        #expect(pages.last?.parts.last?.instance == "inbox")
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func whatOthersHoldGoesOnInFurtherPages() async throws {
        let fixture = try await AccountsFixture()
        serve([767, 767, 1], fixture)
        let account = try await fixture.register().account.id
        let pages = try await pages(fixture, account)
        #expect(pages.map { $0.parts.map(\.instance) } == [["accounts", "inbox"], ["inbox"], ["inbox"]])
        for (number, page) in pages.enumerated() {
            let start = #"{"of":"\#(account)","number":"\#(number)""#
            #expect(page.parts.last?.data.hasPrefix(start) == true)
        }
    }

    /// More than are looked at in one page: each has its two parts all the same.
    @Test func everyAccountThatWasTakenOverIsThere() async throws {
        let fixture = try await AccountsFixture()
        serve([60], fixture)
        let account = try await fixture.register().account.id
        try await fixture.change(
            """
            /* tenants: all */ INSERT INTO {accounts}
                (tenant, id, email, nickname, locale, pending, created_at, merged_into)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
            SELECT 'default', 'usr_' || n.i, 'at' || n.i || '@example.org', '', 'zh', 0, 1, '\(account)' FROM n
            """)
        let pages = try await pages(fixture, account)
        #expect(pages.count > 8)
        let wanted = named("usr", 120).union([account])
        let ids = try own(pages).compactMap(\.id)
        #expect(ids.count == 121 && ids.first == account)
        #expect(Set(ids) == wanted)
        let others = pages.flatMap(\.parts).filter { $0.instance == "inbox" }
        #expect(others.count == 121)
        for id in wanted {
            let start = #"{"of":"\#(id)""#
            #expect(others.contains { $0.data.hasPrefix(start) })
        }
    }

    /// Whose export it is says the token; a cursor that names anybody else is none.
    @Test func aCursorThatIsNotHisIsRefused() async throws {
        let fixture = try await AccountsFixture()
        serve([767, 1], fixture)
        let account = try await fixture.register().account.id
        let other = try await fixture.register("bo@example.org").account.id
        let theirs = try await fixture.privacy(other).exportMe(AccountsExportMeRequest()).nextCursor
        #expect(!theirs.isEmpty)
        let wrong = [
            theirs, "?", "e30", try ExportCursor(other, .here).text, try ExportCursor(account, .here, "none").text,
            try ExportCursor(account, .elsewhere, "none").text,
            // Of a list, yet at a place of another.
            try ExportCursor(account, .here, PageCursor(["sessions", "text", "text"]).text).text,
            try ExportCursor(account, .here, PageCursor(["identities", 1]).text).text,
            try ExportCursor(account, .here, PageCursor(["secrets"]).text).text,
            try PageCursor([.init(stringLiteral: account), 2, ""]).text,
        ]
        for cursor in wrong {
            let error = await fixture.failure {
                try await fixture.privacy(account).exportMe(.with { $0.cursor = cursor })
            }
            #expect(error?.code == .invalidArgument && error?.reason == "request.cursor", "\(cursor)")
            #expect(error?.detail == "/cursor", "\(cursor)")
        }
        let mine = try await fixture.privacy(account).exportMe(AccountsExportMeRequest()).nextCursor
        let last = try await fixture.privacy(account).exportMe(.with { $0.cursor = mine })
        #expect(last.parts.map(\.instance) == ["inbox"] && last.nextCursor.isEmpty)
    }
}
