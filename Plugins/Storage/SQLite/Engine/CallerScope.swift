// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// On whose behalf the engine works.
struct CallerScope: Sendable {
    /// Whose tables.
    var namespace: Namespace
    /// What the host says of the call: the tenant that `:tenant` stands for, and what audit rows are made of.
    var context: HostContext
    /// False once nobody waits for the answer. Called from the engine's threads.
    var isWanted: @Sendable () -> Bool

    init(_ context: HostContext, isWanted: @escaping @Sendable () -> Bool = { true }) throws(SQLiteError) {
        namespace = try Namespace(caller: context.caller)
        self.context = context
        self.isWanted = isWanted
    }
}
