// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime

/// Where secrets come from.
public protocol SecretSource: Sendable {
    /// The value of `env:NAME` or `file:NAME`, or of `store:NAME` or `vault:…` once it was fetched. On any thread; must not
    /// block for longer than a small file's read.
    ///
    /// - Throws: FAILED_PRECONDITION `secrets.missing`, `secrets.unsafe_file`, `secrets.bad_source`; never a value.
    func value(for source: String) throws(CallError) -> SecretBytes

    /// The same as one instance is to see it: what is being brought up may have newer values than what serves.
    func seen(by instance: InstanceIdentity) -> any SecretSource

    /// Has the values of those of these sources that are elsewhere ready, for one use by `instance`. `then` comes exactly
    /// once, on any thread, possibly before this returns; with why one of them cannot be had.
    ///
    /// - Parameter deadline: absolute, on the host's monotonic clock, in nanoseconds; 0 for none.
    func fetch(
        _ sources: [String], for instance: InstanceIdentity, deadline: UInt64,
        _ then: @escaping @Sendable (CallError?) -> Void)
}

extension SecretSource {
    /// This, for every instance.
    public func seen(by instance: InstanceIdentity) -> any SecretSource { self }

    /// Nothing is elsewhere.
    public func fetch(
        _ sources: [String], for instance: InstanceIdentity, deadline: UInt64,
        _ then: @escaping @Sendable (CallError?) -> Void
    ) { then(nil) }
}
