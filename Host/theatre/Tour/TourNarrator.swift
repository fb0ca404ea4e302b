// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TheatreManifest

/// Tells a person what the tour does, a line at a time; says nothing where the outcome is wanted as JSON.
struct TourNarrator: Sendable {
    let isQuiet: Bool

    func step(_ title: String) { write("\n\(title)") }

    func line(_ text: String) { write("  \(text)") }

    func event(_ type: String, _ data: JSONValue) {
        let progress = data.value(at: "/progress")?.integer.map { "\($0)%" } ?? ""
        let title = data.value(at: "/title")?.string ?? data.value(at: "/step")?.string ?? ""
        write("  · \(type) \(progress) \(title)")
    }

    /// Tells of a scene and returns how many findings it has.
    func scene(_ scene: JSONValue) -> Int {
        let number = scene.value(at: "/number")?.integer ?? 0
        let place = scene.value(at: "/stage")?.string ?? scene.value(at: "/place")?.string ?? "—"
        let people = (scene["characters"]?.array ?? []).compactMap(\.string).joined(separator: "、")
        write("  \(number). \(scene["title"]?.string ?? "") [\(place)] \(people)")
        let findings = scene["findings"]?.array ?? []
        for finding in findings {
            let quote = finding["quote"]?.string ?? ""
            write("     ! \(finding["severity"]?.string ?? ""): “\(quote)”: \(finding["reason"]?.string ?? "")")
        }
        return findings.count
    }

    func entry(_ entry: JSONValue) {
        let amount = entry.value(at: "/amount/amount")?.integer ?? 0
        write(
            "  \(amount > 0 ? "+" : "")\(amount) \(entry.value(at: "/amount/currency")?.string ?? "")  \(entry["memo"]?.string ?? "")"
        )
    }

    private func write(_ line: String) {
        guard !isQuiet else { return }
        print(line)
        fflush(nil)
    }
}
