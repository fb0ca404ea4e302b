// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CArgon2
import Glibc

/// Argon2id of RFC 9106, version 1.3, as PHC strings.
enum Argon2id {
    /// Bytes of a salt.
    static let saltLength = 16
    /// Bytes of a tag.
    static let tagLength = 32

    /// Hashes with a fresh salt from the system's generator.
    static func hash(_ password: String, _ cost: Argon2Cost) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<saltLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return try hash(password, salt: salt, cost)
    }

    /// Hashes with a given salt of at least 8 bytes. Blocks for as long as the cost says.
    static func hash(_ password: String, salt: [UInt8], _ cost: Argon2Cost) throws -> String {
        let length = argon2_encodedlen(
            cost.iterations, cost.memoryKiB, cost.parallelism, UInt32(salt.count), UInt32(tagLength), Argon2_id)
        var encoded = [CChar](repeating: 0, count: length)
        var password = password
        let code = password.withUTF8 { secret in
            argon2id_hash_encoded(
                cost.iterations, cost.memoryKiB, cost.parallelism, secret.baseAddress, secret.count, salt, salt.count,
                tagLength, &encoded, length)
        }
        guard code == ARGON2_OK.rawValue else { throw PasswordError.hashing(describe(code)) }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether a password made a hash, compared in constant time. Blocks for as long as the hash's cost says.
    static func verify(_ password: String, _ hash: String) throws -> Bool {
        var password = password
        let code = password.withUTF8 { secret in argon2id_verify(hash, secret.baseAddress, secret.count) }
        if code == ARGON2_OK.rawValue { return true }
        guard code == ARGON2_VERIFY_MISMATCH.rawValue else { throw PasswordError.hashing(describe(code)) }
        return false
    }

    /// A hash that no password has, and whose verification costs as much as that of one of `cost`: of the cheapest hash
    /// with the cost written over, so that none is made at that cost.
    static func decoy(_ cost: Argon2Cost) throws -> String {
        var fields = try hash("", .cheapest).split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6 else { throw PasswordError.hashing("the library writes no PHC strings") }
        fields[3] = "m=\(cost.memoryKiB),t=\(cost.iterations),p=\(cost.parallelism)"
        return fields.joined(separator: "$")
    }

    private static func describe(_ code: CInt) -> String {
        argon2_error_message(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
