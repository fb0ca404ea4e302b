// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreContracts
import TheatrePlugin

struct SQLRowTests {
    private let row = Row(
        columns: ["a", "b", "c", "d", "e"], values: [1, "two", 0.5, nil, Data([7]).sqlValue])

    @Test func columnsAreReadByNameAndType() throws {
        #expect(try row.int("a") == 1 && row.bool("a") && row.real("a") == 1)
        #expect(try row.text("b") == "two" && row.real("c") == 0.5 && row.blob("e") == Data([7]))
        #expect(try row.optionalText("d") == nil && row.optionalInt("d") == nil && row.optionalBool("d") == nil)
    }

    @Test func mistakesAreNamed() {
        #expect(throws: PluginError(.internal, "sql.column", "column \"d\" is null")) { try row.text("d") }
        #expect(throws: PluginError(.internal, "sql.column", "no column \"x\"; columns: a, b, c, d, e")) {
            try row.int("x")
        }
        #expect(throws: PluginError(.internal, "sql.column", "column \"b\" is a text, not integer")) {
            try row.int("b")
        }
    }

    @Test func aCursorGoesThereAndBack() throws {
        let cursor = try PageCursor(row, "a", "b", "e")
        let text = try cursor.text
        #expect(text.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        #expect(try PageCursor(text: text, count: 3) == cursor)
    }

    @Test(arguments: ["", "!", "AAAA", "////", String(repeating: "A", count: 5000)])
    func aForeignCursorIsRefused(text: String) {
        let error = #expect(throws: PluginError.self) { try PageCursor(text: text, count: 2) }
        #expect(error?.reason == "sql.bad_cursor" && error?.detail == "/cursor")
    }
}
