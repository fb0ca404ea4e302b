// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

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

    /// An instance that was to run and failed before it was loaded, or as it was.
    public init(_ plan: InstancePlan, _ error: LoadError) {
        let manifest = plan.file.manifest
        self.init(
            InstanceStatus(
                instance: plan.name, plugin: manifest.name, version: manifest.version, mode: plan.mode.rawValue,
                generation: 0, state: .quarantined(error), capabilities: manifest.provides.map(\.capability),
                digest: plan.file.digest, isCritical: plan.isCritical), fingerprint: plan.fingerprint)
    }

    /// Why it failed; nil where it is only disabled.
    public var error: LoadError? {
        if case .quarantined(let error) = status.state, !isDeliberate { error } else { nil }
    }

    /// Whether this one, which failed before, is the same as one that fails now.
    func isSame(as other: ClosedInstance) -> Bool { error != nil && fingerprint == other.fingerprint }
}
