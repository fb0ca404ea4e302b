// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// An operation of a running instance, ready to be called. Cheap to copy; look it up once per table, not per call.
///
/// It belongs to one generation: after a swap, calls on an old target go to the generation that serves. Where none does
/// they are answered UNAVAILABLE `instance.retired` with effect NONE.
public struct CallTarget: Sendable {
    /// What serves it, known to the dispatcher alone.
    let port: InstancePort
    /// Index in the manifest's operations; in its calls where ``isHosts``.
    let operation: UInt32
    /// The host itself serves it, on behalf of the instance.
    var isHosts = false

    /// Of the instance, as it was looked up.
    public var generation: UInt32 { port.identity.generation }
}
