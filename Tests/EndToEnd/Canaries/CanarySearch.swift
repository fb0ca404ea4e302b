// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Toolchains

/// Secrets by what they are, and the files that are searched for them: in the open, in base 64 wherever it begins, in hex,
/// and as a URL has them.
struct CanarySearch {
    /// By what they are.
    private(set) var canaries: [String: Data] = [:]
    /// Words that must be found, so that each place is proved to be one that was looked into.
    private(set) var controls: [String: Data] = [:]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Looks for a secret too.
    mutating func plant(_ name: String, _ value: some Sequence<UInt8>) { canaries[name] = Data(value) }

    /// Looks for a secret too.
    mutating func plant(_ name: String, _ value: String) { plant(name, value.utf8) }

    /// Looks for a word that is no secret.
    mutating func control(_ name: String, _ value: String) { controls[name] = Data(value.utf8) }

    /// What is found in the files below these folders and in these files: `name: form: path`, and the controls apart.
    func found(in places: [String]) throws -> (canaries: [String], controls: Set<String>) {
        var meanings: [String: String] = [:]
        for (name, value) in canaries {
            for (form, needle) in Self.forms(value) { meanings[needle] = "\(name): \(form)" }
        }
        for (name, value) in controls { meanings[String(decoding: value, as: UTF8.self)] = name }
        let needles = folder.path("needles")
        try Data((meanings.keys.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: needles))
        let paths = places.map { "'\($0)'" }.joined(separator: " ")
        // 1 says that nothing was found.
        let output = try shell("LC_ALL=C grep -raoF -f '\(needles)' -- \(paths) || [ $? = 1 ]", in: folder.root)
        var result: (canaries: [String], controls: Set<String>) = ([], [])
        for line in Set(String(decoding: output, as: UTF8.self).split(separator: "\n")) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let (path, needle) = (line[..<colon], String(line[line.index(after: colon)...]))
            guard let meaning = meanings[needle] else { continue }
            if controls[meaning] != nil {
                result.controls.insert("\(meaning) in \(path.split(separator: "/").last ?? "")")
            } else {
                result.canaries.append("\(meaning): \(path)")
            }
        }
        result.canaries.sort()
        return result
    }

    /// How a value may have been written down. One of few bytes would be found by chance in the shorter forms.
    static func forms(_ value: Data) -> [(form: String, needle: String)] {
        var forms: [(String, String)] = []
        if let text = String(validating: value, as: UTF8.self), !text.contains("\n"), !text.contains("\0") {
            forms.append(("plain", text))
            let encoded = value.map { byte in
                "-._~".utf8.contains(byte) || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                    || (0x61...0x7a).contains(byte)
                    ? String(decoding: [byte], as: UTF8.self) : "%" + hex([byte]).uppercased()
            }.joined()
            if encoded != text { forms.append(("percent", encoded)) }
        }
        forms.append(("hex", hex(value)))
        forms.append(("HEX", hex(value).uppercased()))
        for shift in 0..<3 where value.count >= 9 {
            // What stands before and behind it changes the first and the last letters.
            let whole = (Data(repeating: 0, count: shift) + value).base64EncodedString()
            let inner = String(whole.dropFirst(shift == 0 ? 0 : 4).dropLast(4))
            forms.append(("base64+\(shift)", inner))
            forms.append(("base64url+\(shift)", inner.replacing("+", with: "-").replacing("/", with: "_")))
        }
        return forms.filter { !$0.1.isEmpty }
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
