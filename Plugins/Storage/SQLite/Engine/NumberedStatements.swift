// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

/// SELECTs of one connection by the number that their caller knows them by: found without their text.
struct NumberedStatements {
    struct Entry {
        fileprivate var caller: [UInt8]
        var namespace: Namespace
        var statement: PreparedStatement
    }

    private static let capacity = 256
    private var entries: [UInt64: Entry] = [:]
    /// What was asked for last: most likely what is asked for next.
    private var last: (number: UInt64, entry: Entry)?

    /// What a number names; nil where it is not known here, or not the caller's.
    mutating func entry(of number: UInt64, from caller: UnsafeRawBufferPointer) -> Entry? {
        if let last, last.number == number { return last.entry.caller.elementsEqual(caller) ? last.entry : nil }
        guard let entry = entries[number], entry.caller.elementsEqual(caller) else { return nil }
        last = (number, entry)
        return entry
    }

    /// From now on found by `number`, which is none of another caller; 0 is no number.
    mutating func remember(_ statement: PreparedStatement, of scope: CallerScope, as number: UInt64) {
        guard number != 0 else { return }
        last = nil
        if entries.count >= Self.capacity { entries.removeAll() }
        entries[number] = Entry(caller: Array(scope.caller.utf8), namespace: scope.namespace, statement: statement)
    }

    mutating func removeAll() {
        last = nil
        entries.removeAll()
    }
}
