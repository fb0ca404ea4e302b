// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses

/// What a new password must be. Length and breached lists, and no rules of composition (NIST SP 800-63B).
enum PasswordPolicy {
    /// Unicode scalars, as sent: nothing is normalised, so the same text must be sent again.
    static let lengths = 10...128

    /// - Throws: INVALID_ARGUMENT `auth.weak_secret` at /secret.
    static func check(_ secret: String, for identifier: EmailAddress) throws {
        guard lengths.contains(secret.unicodeScalars.count) else { throw PasswordError.length() }
        let folded = secret.lowercased()
        guard !BreachedPasswords.contains(folded) else { throw PasswordError.breached() }
        let local = identifier.text.prefix { $0 != "@" }
        guard folded != identifier.text, folded != local else { throw PasswordError.sameAsIdentifier() }
    }
}
