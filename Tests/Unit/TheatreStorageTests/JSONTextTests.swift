// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreStorage

struct JSONTextTests {
    @Test(arguments: [
        ("{}", JSONText.Kind.object), (" { \"a\" : [ 1 , -2.5e+3 , true , null , \"\\u00e9\\n汴\" ] } ", .object),
        ("[]", .array),
        ("\"x\"", .string), ("0", .number), ("-0.1E-2", .number), ("false", .literal), ("{\"a\":{\"b\":{}}}", .object),
    ])
    func jsonIsKnown(text: String, kind: JSONText.Kind) { #expect(JSONText.kind(of: text) == kind) }

    @Test(arguments: [
        "", " ", "{", "}", "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "01", "1.", ".5", "1e", "+1",
        "nul", "nullx",
        "\"\\x\"", "\"\\u12g4\"", "\"a", "\"\u{1}\"", "{} {}", "'x'", "{\"a\":1}}", "NaN", "--1",
    ])
    func whatIsNoJSONIsNot(text: String) { #expect(JSONText.kind(of: text) == nil) }

    @Test func deepNestingEndsWithoutACrash() {
        #expect(JSONText.kind(of: String(repeating: "[", count: 100_000)) == nil)
        #expect(JSONText.kind(of: String(repeating: "[", count: 400) + String(repeating: "]", count: 400)) == .array)
    }

    @Test func statementNumbersHoldForTheirCallerAndUntilForgotten() throws {
        var numbers = StatementNumbers(capacity: 2, first: 100)
        let first = numbers.number(of: "SELECT 1", for: "a")
        #expect(numbers.number(of: "SELECT 1", for: "a") == first)
        #expect(numbers.number(of: "SELECT 1", for: "b") != first)
        let statement = SQLStatement.with { $0.statementID = first }
        #expect(try numbers.resolve(statement, for: "a").sql == "SELECT 1")
        #expect(throws: StorageError.unknownStatement) { try numbers.resolve(statement, for: "b") }
        _ = numbers.number(of: "SELECT 2", for: "a")
        #expect(throws: StorageError.unknownStatement) { try numbers.resolve(statement, for: "a") }
    }
}
