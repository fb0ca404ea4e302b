// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The tables whose rows are tenants', as the last migrations of their namespaces left them.
///
/// A statement that names one and never says `:tenant` sees the rows of all: it is refused, unless it says so itself, by
/// the comment `/* tenants: all */`.
public final class TenantTables: Sendable {
    private let tables = Mutex<[Namespace: Set<String>]>([:])

    /// None yet.
    public init() {}

    /// Takes the tables of a namespace, without its prefix, that have a column `tenant` and are not declared global.
    /// The host works for all tenants: its own are not held to it.
    public func learn(_ names: some Sequence<String>, of namespace: Namespace) {
        guard namespace != .host else { return }
        let names = Set(names.map(asciiLowercased))
        tables.withLock { $0[namespace] = names }
    }

    /// INVALID_ARGUMENT `sql.tenant_unbound` where a statement of the namespace reaches rows of every tenant unawares.
    public func check(_ text: SQLText, of namespace: Namespace) throws(StorageError) {
        guard text.tenant == nil, !text.isForAllTenants, !text.tables.isEmpty else { return }
        guard let known = tables.withLock({ $0[namespace] }), let table = text.tables.first(where: known.contains)
        else { return }
        throw StorageError(
            .invalidArgument, "sql.tenant_unbound",
            "Table \(table) has rows of every tenant and the statement does not say :tenant; add tenant = :tenant, or say /* tenants: all */ where it means them all."
        )
    }
}
