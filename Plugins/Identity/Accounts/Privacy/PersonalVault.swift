// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What an account says of its person, sealed by the person's key, which only the host has.
struct PersonalVault {
    /// As it is stored.
    struct Sealed: Sendable {
        var address: Data
        var profile: Data
    }

    private struct Address: Codable {
        var email: String
    }

    private struct Profile: Codable {
        var nickname: String
        var bio: String
    }

    private static let place = "accounts"
    private let keys: HostPersonalKeysClient

    init(_ scope: some CallScope) { keys = HostPersonalKeysClient(scope) }

    /// Seals the address and the profile of an account.
    func seal(_ account: AccountsAccount) async throws -> Sealed {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let values = [
            try encoder.encode(Address(email: account.email)),
            try encoder.encode(Profile(nickname: account.nickname, bio: account.bio)),
        ]
        let id = account.id
        let sealed = try await keys.seal(
            .with {
                $0.person = id
                $0.values = values
                $0.associatedData = Self.place
            }
        ).sealed
        guard sealed.count == 2 else { throw AccountsError.unsealed() }
        return Sealed(address: sealed[0], profile: sealed[1])
    }

    /// An account as it is in a row of the table, opened.
    func account(_ row: Row) async throws -> AccountsAccount {
        var account = AccountsAccount()
        account.id = try row.text("id")
        account.locale = try row.text("locale")
        account.createdAt = try row.int("created_at")
        account.timeZone = try row.text("time_zone")
        let address = try row.optionalBlob("sealed_address")
        let profile = try row.optionalBlob("sealed_profile")
        var values = try await open([address, profile].compactMap(\.self), of: account.id)
        if address == nil {
            // Not sealed yet. Who gave no address holds his own id in its place.
            account.email = Self.address(try row.text("email"))
        } else {
            account.email = try JSONDecoder().decode(Address.self, from: values.removeFirst()).email
        }
        if profile == nil {
            account.nickname = try row.text("nickname")
            account.bio = try row.text("bio")
        } else {
            let profile = try JSONDecoder().decode(Profile.self, from: values.removeFirst())
            account.nickname = profile.nickname
            account.bio = profile.bio
        }
        return account
    }

    /// What the column holds, where it is an address: also one that nobody could register with today.
    static func address(_ column: String) -> String { column.contains("@") ? column : "" }

    private func open(_ sealed: [Data], of person: String) async throws -> [Data] {
        guard !sealed.isEmpty else { return [] }
        let values = try await keys.open(
            .with {
                $0.person = person
                $0.sealed = sealed
                $0.associatedData = Self.place
            }
        ).values
        guard values.count == sealed.count else { throw AccountsError.unsealed() }
        return values
    }
}
