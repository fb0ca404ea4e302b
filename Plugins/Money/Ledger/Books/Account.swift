// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// An account's name, `owner:id:CURRENCY`.
struct Account: Hashable, Sendable {
    /// The whole name.
    let name: String
    /// `user`, `system` or another lower-case word.
    let owner: String
    /// Its last part.
    let currency: String

    /// Reads a name, or INVALID_ARGUMENT at `pointer`.
    init(_ name: String, at pointer: String) throws {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, name.utf8.count <= 120, !parts[1].isEmpty,
            (1...16).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy({ (0x61...0x7A).contains($0) }),
            (3...8).contains(parts[2].utf8.count), parts[2].utf8.allSatisfy({ (0x41...0x5A).contains($0) }),
            parts[1].utf8.allSatisfy(Self.isIdentifier)
        else { throw LedgerError.account(pointer) }
        self.name = name
        owner = String(parts[0])
        currency = String(parts[2])
    }

    /// The deployment's own accounts are the other side of what people have: only they may fall below zero.
    var mayOverdraw: Bool { owner == "system" }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}
