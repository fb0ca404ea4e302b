// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TheatreContracts

/// A row whose data key the master key wraps: a version of a secret, or the key of a person.
enum WrappedKey: Sendable {
    case secret(SecretRow)
    case person(PersonalKeyRow)

    /// The data key, wrapped.
    var wrapped: Data {
        switch self {
        case .secret(let row): row.wrapped
        case .person(let row): row.wrapped
        }
    }

    /// What the wrapped key is bound to.
    var associatedData: Data {
        switch self {
        case .secret(let row): row.address.associatedData(version: row.version)
        case .person(let row): row.associatedData
        }
    }

    /// The same row with its data key wrapped anew.
    func rewrapped(_ wrapped: Data, by keyVersion: String) -> SQLCommitRequest {
        switch self {
        case .secret(let row): row.rewrapped(wrapped, by: keyVersion)
        case .person(let row): row.rewrapped(wrapped, by: keyVersion)
        }
    }

    /// Whose it is and what it is, for the audit.
    func describe(in context: inout HostContext) {
        switch self {
        case .secret(let row):
            (context.tenant, context.project) = (row.address.tenant, row.address.project)
            context.resource = row.address.resource
        case .person(let row):
            (context.tenant, context.resource) = ("default", "person:\(row.person)")
        }
    }
}
