// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Testing
import TheatreManifest

@testable import Runtime

/// YAML as plugins.d uses it: typed plainly, with the line of every value.
@Suite struct YAMLDocumentTests {
    @Test func scalarsAreWhatTheyLookLike() throws {
        let text = """
            a: true
            b: no
            c: 12
            d: 1.5
            e: "12"
            f: ~
            g: 0x10
            h: +5
            i: text with spaces
            j:
            """
        let value = try YAMLDocument(file: "x.yaml", text: text).value
        #expect(
            value
                == .object([
                    "a": .bool(true), "b": .string("no"), "c": .integer(12), "d": .number(1.5), "e": .string("12"),
                    "f": .null, "g": .string("0x10"), "h": .string("+5"), "i": .string("text with spaces"),
                    "j": .null,
                ]))
    }

    @Test func everyValueHasItsLine() throws {
        let map = try YAMLDocument(file: "x.yaml", text: "a:\n  b:\n    - 1\n    - 2\nc/d: {e~f: 3}\n").map
        #expect(map.source(at: "/a").line == 1)
        #expect(map.source(at: "/a/b").line == 2)
        #expect(map.source(at: "/a/b/1").line == 4)
        #expect(map.source(at: "/c~1d/e~0f").line == 5)
        #expect(map.source(at: "/a/b/missing").line == 2)
    }

    @Test func anEmptyFileIsAnEmptyObject() throws {
        #expect(try YAMLDocument(file: "x.yaml", text: "# nothing\n").value == .object([:]))
    }

    @Test(arguments: [
        ("a: [1\nb: 2\n", 2, "is not YAML"), ("a: 1\na: 2\n", 2, "stands twice"),
        ("a: \"b\n", 1, "is not YAML"),
    ])
    func whatCannotBeReadIsSaidWithItsLine(_ text: String, _ line: Int, _ word: String) {
        do {
            let document = try YAMLDocument(file: "x.yaml", text: text)
            Issue.record("was read as \(document.value)")
        } catch {
            #expect(error.code == .declarationInvalid)
            #expect(error.source.file == "x.yaml")
            #expect(error.sentence.contains(word), "\(error)")
            #expect(abs(error.source.line - line) <= 1, "\(error)")
        }
    }
}
