// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The second factor of an account. Its secret is stored nowhere: it is made from `seed` by a key that only the host has.
struct Factor: Sendable {
    let account: String
    /// Random, of this enrolment.
    let seed: String
    let isOn: Bool
    /// Counter of the code accepted last; -1 for none.
    let counter: Int64
    /// Version of the key that makes the secret; empty where it is not known: the one that counts now.
    var keyVersion = ""

    /// The secret that the app has too: 20 bytes. Notes the version that made it.
    mutating func secret(_ call: Call) async throws -> [UInt8] {
        let data = Data("theatre.totp.v1\n\(call.tenant)\n\(account)\n\(seed)".utf8)
        let version = keyVersion
        let response = try await HostKeysClient(call).mac(
            .with {
                $0.key = "mfa"
                $0.data = data
                $0.keyID = version
            })
        guard response.mac.count == 32 else { throw AccountsError.noKey("mfa") }
        keyVersion = response.keyID
        return Array(response.mac.prefix(20))
    }
}

/// What a code is found to be, before the transaction that uses it up.
enum FactorProof: Sendable, Hashable {
    /// A code by time, by its counter.
    case time(Int64)
    /// The digest of what may be a recovery code.
    case recovery([UInt8])
}
