// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// Where a version stands, and where it may go from there.
enum VersionState: String, Sendable, Hashable, CaseIterable {
    case draft = "DRAFT"
    case indexed = "INDEXED"
    case released = "RELEASED"
    case rolledBack = "ROLLED_BACK"

    /// As in the contract.
    var message: KnowledgeVersionStatus {
        switch self {
        case .draft: .draft
        case .indexed: .indexed
        case .released: .released
        case .rolledBack: .rolledBack
        }
    }

    /// Whether it can be searched by name.
    var canBePreviewed: Bool { self == .indexed || self == .released }

    /// Whether it can become the one that is searched. One that was released before another may be released again.
    func canBeReleased(isCurrent: Bool) -> Bool { self == .indexed || self == .released && !isCurrent }

    /// Whether it can be taken back: only what is searched.
    func canBeRolledBack(isCurrent: Bool) -> Bool { self == .released && isCurrent }
}

extension KnowledgeVersionStatus {
    /// As stored.
    var state: VersionState? { VersionState.allCases.first { $0.message == self } }
}
