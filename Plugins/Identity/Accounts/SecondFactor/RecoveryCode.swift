// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// A code for the day the telephone is lost: 80 random bits as four groups of four. Stored as a digest only.
enum RecoveryCode {
    static let count = 10

    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let text = Array(Base32.encode((0..<10).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
        return stride(from: 0, to: 16, by: 4).map { String(text[$0..<$0 + 4]) }.joined(separator: "-")
    }

    /// What is stored; nil for what cannot be one. In any case, with or without dashes and spaces.
    static func hash(_ code: String, of account: String) -> [UInt8]? {
        let plain = code.uppercased().filter { $0 != "-" && $0 != " " }
        guard plain.utf8.count == 16 else { return nil }
        return Digest.sha256("theatre.recovery.v1\n\(account)\n\(plain)".utf8)
    }
}
