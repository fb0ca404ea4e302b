// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Services
import Synchronization

/// The last lines that each instance logged, in memory, without the values of secret fields.
final class InstanceRecords: Sendable {
    /// Lines kept of each instance.
    static let limit = 1000
    /// Characters kept of a message.
    static let longestMessage = 4000

    /// One line.
    struct Line: Sendable {
        /// When, in milliseconds since 1970.
        var at: Int64
        var level: Logger.Level
        /// Which generation of the instance.
        var generation: UInt32
        var message: String
        var fields: Logger.Metadata
    }

    private let rings = Mutex<[String: Ring]>([:])

    private struct Ring {
        var lines: [Line] = []
        var next = 0

        mutating func append(_ line: Line) {
            if lines.count < InstanceRecords.limit { lines.append(line) } else { lines[next] = line }
            next = (next + 1) % InstanceRecords.limit
        }

        var inOrder: [Line] {
            lines.count < InstanceRecords.limit ? lines : Array(lines[next...] + lines[..<next])
        }
    }

    /// Keeps a line; the oldest goes where there are too many.
    func append(_ line: Line, of instance: String) {
        var kept = line
        kept.message = String(line.message.prefix(Self.longestMessage))
        kept.fields = Redaction.clean(line.fields)
        rings.withLock { $0[instance, default: Ring()].append(kept) }
    }

    /// The last lines of an instance, oldest first.
    func last(_ count: Int, of instance: String) -> [Line] {
        rings.withLock { $0[instance]?.inOrder.suffix(count) }.map(Array.init) ?? []
    }
}
