// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreFrames

/// What of the sandbox is enforced, as the runner told it.
struct GuardReport: Sendable, Hashable {
    var enforced: UInt32 = 0
    var missing: UInt32 = 0
    var why = ""

    init() {}

    /// Reads READY.
    init(_ frame: theatre_frame) {
        enforced = UInt32(truncatingIfNeeded: frame.numbers.0)
        missing = UInt32(truncatingIfNeeded: frame.numbers.1)
        why = frame.parts.0.text
    }

    private static let names: [(UInt32, String)] = [
        (THEATRE_GUARD_PRIVILEGES, "no privileges"), (THEATRE_GUARD_MEMORY, "memory limit"),
        (THEATRE_GUARD_PROCESSES, "thread limit"), (THEATRE_GUARD_USER, "own user namespace"),
        (THEATRE_GUARD_PIDS, "own process ids"), (THEATRE_GUARD_NETWORK, "own network"),
        (THEATRE_GUARD_MOUNTS, "own view of files"), (THEATRE_GUARD_LANDLOCK, "Landlock"),
        (THEATRE_GUARD_SYSTEM_CALLS, "system call filter"),
    ]

    /// As a status shows it.
    var facts: [String: String] {
        var facts = ["sandbox": Self.names.filter { enforced & $0.0 != 0 }.map(\.1).joined(separator: ", ")]
        if missing != 0 { facts["not_enforced"] = why }
        return facts
    }
}
