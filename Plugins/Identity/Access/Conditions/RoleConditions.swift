// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreManifest

/// When and from where a role counts.
struct RoleConditions {
    private let hours: [RoleHours]
    let networks: [String]

    /// - Throws: ``AccessError`` for what cannot be meant.
    init(_ conditions: AccessConditions) throws {
        guard conditions.hours.count <= 20, conditions.networks.count <= 50 else { throw AccessError.conditions }
        hours = try conditions.hours.map { hours in
            guard let hours = RoleHours(hours) else { throw AccessError.hours }
            return hours
        }
        guard conditions.networks.allSatisfy({ AddressBlock($0) != nil }) else { throw AccessError.networks }
        networks = conditions.networks
    }

    /// Applies what the clock says to a standing: outside the hours it is none, within them it ends with them.
    func apply(to standing: inout AccessStanding, at now: Int64) {
        standing.networks = networks
        guard !hours.isEmpty, standing.role != .unspecified else { return }
        guard let end = hours.compactMap({ $0.end(at: now) }).max() else {
            standing.role = .unspecified
            standing.permissions = []
            standing.outsideHours = true
            return
        }
        standing.expiresAt = standing.expiresAt == 0 ? end : min(standing.expiresAt, end)
    }
}
