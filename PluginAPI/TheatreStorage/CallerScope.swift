// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// On whose behalf storage works.
public struct CallerScope: Sendable {
    /// Whose tables.
    public var namespace: Namespace
    /// The instance that calls.
    public let caller: String
    /// What `:tenant` stands for.
    public let tenant: String
    /// What the host says of the call, which audit rows, events and jobs are made of.
    public let context: HostContext
    /// False once nobody waits for the answer. Called from the engine's threads.
    public var isWanted: @Sendable () -> Bool

    /// The scope of a call with `context`; PERMISSION_DENIED `sql.bad_namespace` where its caller cannot own tables.
    public init(_ context: HostContext, isWanted: @escaping @Sendable () -> Bool = { true }) throws(StorageError) {
        caller = context.caller
        tenant = context.tenant
        namespace = try Namespace(caller: caller)
        self.context = context
        self.isWanted = isWanted
    }

    /// The scope of a call that only reads tables of its own: the rest of its context is not needed, and empty here.
    public init(readerFrom caller: String, tenant: String) throws(StorageError) {
        self.caller = caller
        self.tenant = tenant
        namespace = try Namespace(caller: caller)
        context = HostContext()
        isWanted = { true }
    }
}
