// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime

/// Where secrets come from.
public protocol SecretSource: Sendable {
    /// The value of `env:NAME` or `file:NAME`. On any thread; must not block for longer than a small file's read.
    ///
    /// - Throws: FAILED_PRECONDITION `secrets.missing`, `secrets.unsafe_file`, `secrets.bad_source`; never a value.
    func value(for source: String) throws(CallError) -> SecretBytes

    /// The same as one instance is to see it: what is being brought up may have newer values than what serves.
    func seen(by instance: InstanceIdentity) -> any SecretSource
}

extension SecretSource {
    /// This, for every instance.
    public func seen(by instance: InstanceIdentity) -> any SecretSource { self }
}
