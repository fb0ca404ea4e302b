// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// What an account says of itself.
enum Profile {
    /// Applies a change, checked.
    static func apply(_ request: AccountsUpdateMeRequest, to account: inout AccountsAccount) throws {
        if request.hasNickname {
            guard isNickname(request.nickname) else { throw AccountsError.nickname() }
            account.nickname = request.nickname
        }
        if request.hasBio {
            guard isText(request.bio, most: 500) else { throw AccountsError.bio() }
            account.bio = request.bio
        }
        if request.hasLocale {
            guard LanguageTag.isWellFormed(request.locale) else { throw AccountsError.locale() }
            account.locale = request.locale
        }
        if request.hasTimeZone {
            guard isTimeZone(request.timeZone) else { throw AccountsError.timeZone() }
            account.timeZone = request.timeZone
        }
    }

    /// 1 to 40 characters, one of them visible, none a control.
    static func isNickname(_ text: String) -> Bool {
        text.contains { !$0.isWhitespace } && isText(text, most: 40)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    /// 1 to 80 characters, one of them visible, none a control.
    static func isTitle(_ text: String) -> Bool {
        text.contains { !$0.isWhitespace } && isText(text, most: 80) && !text.contains("\n")
    }

    /// Lines of text, without other controls.
    private static func isText(_ text: String, most: Int) -> Bool {
        text.unicodeScalars.count <= most
            && text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control }
    }

    /// Whether it has the form of a name of the time zone database: up to 64 letters, digits, `_`, `+` and `-` in parts
    /// between slashes.
    private static func isTimeZone(_ text: String) -> Bool {
        text.utf8.count <= 64
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                part.utf8.first.map { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") } == true
                    && part.utf8.allSatisfy {
                        switch $0 {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x5F: true
                        default: false
                        }
                    }
            }
    }
}
