// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// One line of the result: a figure beside its bare equivalent.
struct Row: Codable {
    /// What was measured.
    var name: String
    /// Of both figures.
    var unit: String
    var bareMinimum: Double?
    var bareMedian: Double?
    var minimum: Double
    var median: Double
    /// Of the least disturbed samples: the minima of times, the medians of rates.
    var ratio: Double?
    /// In words.
    var target: String
    /// nil where nothing is promised.
    var holds: Bool?

    /// A figure against its bare equivalent; `limit` tells whether a ratio will do.
    init(
        _ name: String, unit: String, bare: Samples, _ samples: Samples, target: String,
        limit: ((Double) -> Bool)? = nil
    ) {
        self.name = name
        self.unit = unit
        bareMinimum = bare.minimum
        bareMedian = bare.median
        minimum = samples.minimum
        median = samples.median
        let ratio =
            unit == "rps" || unit == "/s"
            ? samples.median / max(bare.median, .leastNonzeroMagnitude)
            : samples.minimum / max(bare.minimum, .leastNonzeroMagnitude)
        self.ratio = ratio
        self.target = target
        holds = limit.map { $0(ratio) }
    }

    /// A figure on its own.
    init(_ name: String, unit: String, _ samples: Samples, target: String, limit: ((Double) -> Bool)? = nil) {
        self.name = name
        self.unit = unit
        minimum = samples.minimum
        median = samples.median
        self.target = target
        holds = limit.map { $0(samples.median) }
    }
}

/// Prints rows as they come: a table for people, or one JSON document at the end.
struct Table {
    let isJSON: Bool
    private(set) var rows: [Row] = []

    init(isJSON: Bool) {
        self.isJSON = isJSON
        guard !isJSON else { return }
        print(
            "minimum / median of the bare equivalent and of the measured, the ratio of the minima (of the medians for rates)"
        )
        Self.line("benchmark", "bare", "measured", "unit", "ratio", "target", "")
    }

    mutating func add(_ row: Row) {
        rows.append(row)
        guard !isJSON else { return }
        var bare = ""
        if let minimum = row.bareMinimum, let median = row.bareMedian {
            bare = "\(Self.text(minimum)) / \(Self.text(median))"
        }
        Self.line(
            row.name, bare, "\(Self.text(row.minimum)) / \(Self.text(row.median))", row.unit,
            row.ratio.map { "\(Self.text($0))x" } ?? "", row.target, row.holds.map { $0 ? "holds" : "MISSED" } ?? "")
    }

    func finish() throws {
        guard isJSON else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(rows), as: UTF8.self))
    }

    private static func line(_ cells: String...) {
        let widths = [58, 21, 21, 6, 8, 9, 6]
        print(
            zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: max(1, width - cell.count))
            }.joined(separator: " "))
        fflush(nil)
    }

    private static func text(_ value: Double) -> String {
        if value >= 1000 { return "\(Int(value.rounded()))" }
        let scale: Double = value >= 100 ? 1 : (value >= 10 ? 10 : 100)
        return "\((value * scale).rounded() / scale)"
    }
}
