// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import FoundationEssentials
internal import Runtime
package import TheatreManifest

/// What the checks made of a library.
package struct ValidationReport: Sendable {
    /// Version of the set of checks: a badge counts for no other.
    package static let kit = "3"

    /// The library.
    package let library: String
    /// Of the plugin; empty where its manifest cannot be read.
    package let plugin: String
    let version: String
    /// SHA-256 of the file, hex; empty where it cannot be read.
    package let digest: String
    let profile: String
    /// Its manifest allows no mode but those in a process of its own.
    let isIsolatedOnly: Bool
    let seed: UInt64
    /// In the order of the table.
    package let verdicts: [Verdict]

    init(_ validation: Validation, name: String, file: PluginFile?, verdicts: [Verdict]) {
        library = validation.library
        plugin = file?.manifest.name ?? name
        version = file?.manifest.version ?? ""
        digest = file?.digest ?? ""
        profile = validation.only.isEmpty ? (validation.isQuick ? "quick" : "full") : "selected"
        seed = validation.seed
        isIsolatedOnly = file.map { !$0.manifest.modes.contains("inproc") } ?? false
        self.verdicts = verdicts
    }

    /// No check failed.
    package var isSound: Bool { verdicts.allSatisfy(\.isSound) }

    /// Everything, with evidence.
    package var json: JSONValue {
        var members = head
        members["checks"] = .array(
            verdicts.map { verdict in
                var row: [String: JSONValue] = [
                    "id": .string(verdict.id), "proves": .string(verdict.title), "outcome": .string(verdict.word),
                    "milliseconds": .integer(Int64(verdict.milliseconds)), "evidence": .object(verdict.evidence),
                    "findings": .array(
                        verdict.findings.map {
                            .object(["reason": .string($0.reason), "message": .string($0.message)])
                        }),
                ]
                switch verdict.outcome {
                case .skipped(let why): row["skipped"] = .string(why)
                case .crashed(let signal): row["signal"] = .integer(Int64(signal))
                case .hung(let seconds): row["seconds"] = .integer(Int64(seconds))
                case .passed, .failed: break
                }
                if !verdict.place.isEmpty, !verdict.isSound { row["at"] = .string(verdict.place) }
                return .object(row)
            })
        return .object(members)
    }

    private var head: [String: JSONValue] {
        [
            "plugin": .string(plugin), "version": .string(version), "digest": .string(digest),
            "kit": .string(Self.kit), "profile": .string(profile), "seed": .string("\(seed)"), "ok": .bool(isSound),
            "isolated_only": .bool(isIsolatedOnly),
        ]
    }

    /// What a lock's policy can ask for: the library's digest, the kit's version, and how each check ended.
    package var badge: JSONValue {
        var members = head
        members["badge"] = .integer(1)
        members["checks"] = .object(
            Dictionary(verdicts.map { ($0.id, JSONValue.string($0.word)) }, uniquingKeysWith: { first, _ in first }))
        return .object(members)
    }

    /// For a person: a line a check, and what is wrong below it.
    package var text: String {
        let width = verdicts.map(\.id.count).max() ?? 0
        var lines = ["\(plugin) \(version)  \(digest.prefix(12))  kit \(Self.kit), \(profile), seed \(seed)"]
        if isIsolatedOnly {
            lines.append("it runs isolated only: each instance is checked in a process of its own, by theatre-runner")
        }
        for verdict in verdicts { lines += Self.lines(verdict, width) }
        let bad = verdicts.count { !$0.isSound }
        let skipped = verdicts.count { if case .skipped = $0.outcome { true } else { false } }
        lines.append(
            bad == 0
                ? "\(verdicts.count - skipped) of \(verdicts.count) checks passed, \(skipped) skipped: nothing is wrong"
                : "\(bad) of \(verdicts.count) checks failed; run one again with --only ID --seed \(seed)")
        return lines.joined(separator: "\n")
    }

    /// The lines of one verdict.
    package static func lines(_ verdict: Verdict, _ width: Int) -> [String] {
        let id = verdict.id + String(repeating: " ", count: max(0, width - verdict.id.count))
        var line = "\(verdict.word.uppercasedUnlessSound(verdict.isSound))  \(id)  \(verdict.title)"
        if case .skipped(let why) = verdict.outcome { line += " (\(why))" }
        return [line] + verdict.findings.map { "          \($0.reason): \($0.message)" }
    }
}

extension String {
    fileprivate func uppercasedUnlessSound(_ isSound: Bool) -> String {
        let word = isSound ? self : uppercased()
        return word + String(repeating: " ", count: max(0, 7 - word.count))
    }
}
