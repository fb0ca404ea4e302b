// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Gateway

@Suite struct PathTrieTests {
    static func find(_ templates: [String], _ path: String) throws -> (String?, [String]) {
        var trie = PathTrie()
        for (index, template) in templates.enumerated() { _ = try trie.insert(template, value: index) }
        var captures: [Range<Int>] = []
        var path = path
        return path.withUTF8 { bytes in
            let found = trie.match(bytes, captures: &captures)
            return (
                found < 0 ? nil : templates[found],
                captures.map { String(decoding: bytes[$0], as: UTF8.self) }
            )
        }
    }

    @Test(arguments: [
        ("/a/b", "/a/b", []), ("/a/x", "/a/{p}", ["x"]), ("/a/x:go", "/a/{p}:go", ["x"]), ("/a/x:y", "/a/{p}", ["x:y"]),
        ("/a/b/c", "/a/b/c", []), ("/a/b/d", "/a/{p}/d", ["b"]), ("/a/:go", "/a/{p}", [":go"]),
    ])
    func mostLiteralTemplateWins(path: String, template: String, captures: [String]) throws {
        let templates = ["/a/{p}", "/a/b", "/a/{p}:go", "/a/b/c", "/a/{q}/d"]
        let (found, values) = try Self.find(templates, path)
        #expect(found?.replacing("{q}", with: "{p}") == template)
        #expect(values == captures)
    }

    @Test(arguments: ["/", "/a", "/a/", "/a//d", "a/b", "", "/a/b/c/d"])
    func otherPathsMatchNothing(path: String) throws {
        #expect(try Self.find(["/a/{p}", "/a/b/c", "/a/{q}/d"], path).0 == nil)
    }

    @Test(arguments: ["a", "/a//b", "/{}", "/{a", "/{a}b", "/a}", "/{a}:", "/.."])
    func malformedTemplateIsRefused(template: String) {
        var trie = PathTrie()
        #expect(throws: PathTrie.Malformed(template: template)) { try trie.insert(template, value: 0) }
    }

    @Test(arguments: [
        ("/a/../b", true), ("/a/.", true), ("/%2e%2E/b", true), ("/.%2e", true), ("/..a", false), ("/a.b/c", false),
        ("/...", false), ("/%2", false),
    ])
    func dotSegmentsAreSeenInAnySpelling(path: String, expected: Bool) {
        var path = path
        #expect(path.withUTF8 { PathTrie.hasDotSegment($0) } == expected)
    }

    /// A naive matcher over all templates agrees, for random templates and paths of a tiny alphabet.
    @Test(arguments: UInt64(1)...40) func trieAgreesWithNaiveMatcher(seed: UInt64) throws {
        var random = IdentitySource(seed: seed)
        func pick(_ choices: [String]) -> String { choices[Int(random.next() % UInt64(choices.count))] }
        let templates = (0..<8).map { _ in
            "/"
                + (0...Int(random.next() % 3)).map { _ in pick(["a", "b", "{p}", "{p}:v", "a:v"]) }.joined(
                    separator: "/")
        }
        for _ in 0..<50 {
            let path =
                "/"
                + (0...Int(random.next() % 3)).map { _ in pick(["a", "b", "c", "a:v", "c:v"]) }
                .joined(separator: "/")
            let naive = templates.filter { Self.naive($0, path) }.max {
                Self.rank($0).lexicographicallyPrecedes(Self.rank($1))
            }
            #expect(try Self.find(templates, path).0 == naive, "\(templates) \(path)")
        }
    }

    static func naive(_ template: String, _ path: String) -> Bool {
        let (one, other) = (template.split(separator: "/"), path.split(separator: "/"))
        return one.count == other.count
            && zip(one, other).allSatisfy { part, text in
                part == text || part == "{p}" || part == "{p}:v" && text.hasSuffix(":v") && text.count > 2
            }
    }

    static func rank(_ template: String) -> [Int] {
        template.split(separator: "/").map { $0 == "{p}" ? 0 : $0 == "{p}:v" ? 1 : 2 }
    }

    @Test(arguments: [
        ("a%20b", "a b"), ("%E5%AE%8B", "宋"), ("a+b", "a+b"), ("%", nil), ("%g1", nil), ("%00", nil), ("%ff", nil),
    ])
    func parameterIsDecodedOrRefused(text: String, expected: String?) {
        #expect(PercentDecoding.decode(text.utf8) == expected)
    }

    @Test func queryKeepsOrderAndRepetition() {
        let pairs = PercentDecoding.query("a=1&b=x+y&a=%3D&c"[...].utf8)
        #expect(pairs?.map { "\($0.name):\($0.value)" } == ["a:1", "b:x y", "a:=", "c:"])
        #expect(PercentDecoding.query("a=%zz"[...].utf8) == nil)
    }
}
