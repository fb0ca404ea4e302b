// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// One row for each refusal up to ten a minute per actor and route, then one with a count. Pure.
struct RefusalThrottle {
    struct Key: Hashable {
        var actor: String
        var route: String
    }

    private struct Window {
        var start: Int64
        var written = 0
        var held: AuditRecord?
    }

    private var windows: [Key: Window] = [:]
    private let perMinute = 10
    private let length: Int64 = 60_000
    private let capacity: Int

    init(capacity: Int = 10_000) { self.capacity = capacity }

    /// Rows to write now that this refusal has happened.
    mutating func note(_ record: AuditRecord, for key: Key) -> [AuditRecord] {
        var rows: [AuditRecord] = []
        if windows.count >= capacity, windows[key] == nil { rows = close(before: record.at, all: true) }
        var window = windows[key] ?? Window(start: record.at)
        if record.at >= window.start + length {
            if let held = window.held { rows.append(held) }
            window = Window(start: record.at)
        }
        if window.written < perMinute {
            window.written += 1
            rows.append(record)
        } else {
            var held = record
            held.count += window.held?.count ?? 0
            window.held = held
        }
        windows[key] = window
        return rows
    }

    /// Rows of the minutes that are over; with `all`, of every minute.
    mutating func close(before now: Int64, all: Bool = false) -> [AuditRecord] {
        var rows: [AuditRecord] = []
        windows = windows.filter { _, window in
            guard all || now >= window.start + length else { return true }
            if let held = window.held { rows.append(held) }
            return false
        }
        return rows
    }
}
