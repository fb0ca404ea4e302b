// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// An instance that is configured and does not run: disabled, or failed.
public struct ClosedInstance: Sendable, Hashable {
    /// What is shown of it.
    public var status: InstanceStatus
    /// Equal for equal library, configuration and grants: a reload refuses a failure that is new.
    public var fingerprint: String
    /// An operator wants it so: no fault of it stops a start or a reload.
    public var isDeliberate: Bool

    /// An instance and what tells whether it changed.
    public init(_ status: InstanceStatus, fingerprint: String, isDeliberate: Bool = false) {
        self.isDeliberate = isDeliberate
        self.status = status
        self.fingerprint = fingerprint
    }

    /// Why it failed; nil where it is only disabled.
    public var error: LoadError? {
        if case .quarantined(let error) = status.state, !isDeliberate { error } else { nil }
    }

    /// Whether this one, which failed before, is the same as one that fails now.
    func isSame(as other: ClosedInstance) -> Bool { error != nil && fingerprint == other.fingerprint }
}
