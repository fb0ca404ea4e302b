// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// On whose behalf storage works.
public struct CallerScope: Sendable {
    /// Whose tables.
    public var namespace: Namespace
    /// What the host says of the call: the tenant that `:tenant` stands for, and what audit rows are made of.
    public var context: HostContext
    /// False once nobody waits for the answer. Called from the engine's threads.
    public var isWanted: @Sendable () -> Bool

    /// The scope of a call with `context`; PERMISSION_DENIED `sql.bad_namespace` where its caller cannot own tables.
    public init(_ context: HostContext, isWanted: @escaping @Sendable () -> Bool = { true }) throws(StorageError) {
        namespace = try Namespace(caller: context.caller)
        self.context = context
        self.isWanted = isWanted
    }
}
