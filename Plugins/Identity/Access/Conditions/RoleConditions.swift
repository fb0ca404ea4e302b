// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TheatreContracts

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
        guard conditions.networks.allSatisfy(Self.isBlock) else { throw AccessError.networks }
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

    /// `10.0.0.0/8`, without a bit behind its length, or an address alone.
    private static func isBlock(_ text: String) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var bytes: [UInt8] = Array(repeating: 0, count: 16)
        let isIPv4 = inet_pton(AF_INET, String(parts[0]), &bytes) == 1
        guard isIPv4 || inet_pton(AF_INET6, String(parts[0]), &bytes) == 1 else { return false }
        let most = isIPv4 ? 32 : 128
        guard parts.count == 2 else { return true }
        guard let length = Int(parts[1]), (0...most).contains(length) else { return false }
        return (length..<most).allSatisfy { bytes[$0 / 8] & (0x80 >> UInt8($0 % 8)) == 0 }
    }
}
