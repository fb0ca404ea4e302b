// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How much of a person's rows still goes into one export: six holders' answers together are one, of at most 1 MiB.
public struct ExportBudget: Sendable {
    /// Bytes of JSON that one holder may take.
    public static let bytes = 128 * 1024
    /// Whether a row was left out.
    public private(set) var isTruncated = false
    private var left: Int

    /// A budget of `bytes`.
    public init(bytes: Int = Self.bytes) { left = bytes }

    /// Takes a row, where there is room for it; once there was none, no more are taken.
    ///
    /// - Parameter encoder: as the export is encoded.
    public mutating func takes(_ row: some Encodable, by encoder: JSONEncoder = JSONEncoder()) throws -> Bool {
        guard !isTruncated else { return false }
        // With the comma before the next.
        left -= try encoder.encode(row).count + 1
        isTruncated = left < 0
        return !isTruncated
    }

    /// The rows there is room for, from the first.
    public mutating func fitting<Row: Encodable>(
        _ rows: some Sequence<Row>, by encoder: JSONEncoder = JSONEncoder()
    ) throws -> [Row] {
        var taken: [Row] = []
        for row in rows {
            guard try takes(row, by: encoder) else { break }
            taken.append(row)
        }
        return taken
    }
}
