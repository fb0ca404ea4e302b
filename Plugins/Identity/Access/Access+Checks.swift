// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The form of what is asked.
extension Access {
    static func principal(_ call: Call) throws -> String {
        guard !call.principal.isEmpty else { throw AccessError.stranger }
        return call.principal
    }

    static func limit(_ asked: UInt32) throws -> Int {
        guard asked <= 200 else { throw AccessError.limit }
        return asked == 0 ? 50 : Int(asked)
    }

    /// 1 to 120 characters, one of them visible, none a control.
    static func isName(_ text: String) -> Bool {
        (1...120).contains(text.unicodeScalars.count) && text.contains { !$0.isWhitespace }
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    /// `usr_` and letters or digits, or `svc:` and a name.
    static func isPrincipal(_ text: String) -> Bool {
        guard text.utf8.count <= 128, text.hasPrefix("usr_") || text.hasPrefix("svc:") else { return false }
        let rest = text.utf8.dropFirst(4)
        return !rest.isEmpty
            && rest.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }
}
