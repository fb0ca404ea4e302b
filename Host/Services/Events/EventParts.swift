// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime

/// What all consumers of a pump share.
struct EventParts: Sendable {
    let caller: UnaryCaller
    let storage: String
    let clock: any ServiceClock
    /// This host, as leases know it.
    let holder: String
    let log: Logger

    /// Reasons that say that the instance was not there, or could take no more: the event was not refused.
    static let neverCame: Set<String> = [
        "instance.busy", "instance.closed", "instance.retired", "instance.unknown", "instance.quarantined",
        "call.table_full",
    ]
}
