// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

extension InstancePort {
    /// One of each kind.
    struct MisuseCounters: ~Copyable {
        let never = MisuseCounter()
        let late = MisuseCounter()
        let double = MisuseCounter()
        let foreign = MisuseCounter()
        let malformed = MisuseCounter()
    }

    /// Counts a misuse, and tells it where none of its kind was told within the last minute.
    ///
    /// - Parameters:
    ///   - operation: index of the operation, where it is known.
    ///   - found: what was found; called where it is told.
    @inline(never)
    func note(_ kind: CallMisuse.Kind, operation: UInt32?, _ found: () -> String) {
        let now = dispatcher.clock.monotonic()
        let due =
            switch kind {
            case .never: misuses.never.note(at: now)
            case .late: misuses.late.note(at: now)
            case .double: misuses.double.note(at: now)
            case .foreign: misuses.foreign.note(at: now)
            case .malformed: misuses.malformed.note(at: now)
            }
        guard let count = due else { return }
        let name = operation.flatMap { Int($0) < operations.count ? operations[Int($0)].name : nil }
        hooks.onMisuse(
            identity,
            CallMisuse(
                kind: kind, operation: name ?? "", expected: kind.expected, found: found(), fix: kind.fix, count: count)
        )
    }

    func noteLate(_ operation: UInt32, after nanoseconds: UInt64) {
        note(.late, operation: operation) { "one \(nanoseconds / 1_000_000) ms after it; it was dropped" }
    }

    func noteDouble(_ operation: UInt32?) {
        note(.double, operation: operation) { "one more of a call that had ended; it was dropped" }
    }

    func noteForeign() {
        note(.foreign, operation: nil) { "one of another instance's call, or of none; it was dropped" }
    }

    func noteNever(_ operation: UInt32, after nanoseconds: UInt64, open: Int) {
        note(.never, operation: operation) {
            "none within \(nanoseconds / 1_000_000) ms; \(open) such calls are open, with more than "
                + "\(limits.orphanCap) the instance is closed"
        }
    }

    /// - Parameter flaw: what is wrong with it.
    func noteMalformed(_ operation: UInt32, _ flaw: String) { note(.malformed, operation: operation) { flaw } }
}

extension CallTarget {
    /// Counts an answer of the operation that is not its response message, and tells it as ``CallMisuse`` says. Any thread.
    public func noteMalformedAnswer(_ flaw: @autoclosure () -> String) {
        port.note(.malformed, operation: operation, flaw)
    }
}
