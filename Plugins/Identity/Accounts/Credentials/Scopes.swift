// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a credential of a program may do: `RESOURCE:ACTION` of routes, `RESOURCE:*`, or `*`.
enum Scopes {
    static let most = 50

    /// Sorted and each once; nil where one is none, or there is none at all.
    static func checked(_ scopes: [String]) -> [String]? {
        guard !scopes.isEmpty, scopes.count <= most, scopes.allSatisfy(isScope) else { return nil }
        return Set(scopes).sorted()
    }

    /// As in `scope` of OAuth 2.0: those asked for, which must be among those allowed; all of them for none.
    static func granted(_ asked: String, of allowed: [String]) -> [String]? {
        let scopes = Set(asked.split(separator: " ").map(String.init))
        guard !scopes.isEmpty else { return allowed }
        return scopes.isSubset(of: allowed) ? scopes.sorted() : nil
    }

    private static func isScope(_ text: String) -> Bool {
        if text == "*" { return true }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && text.utf8.count <= 100 && isName(parts[0]) && (parts[1] == "*" || isName(parts[1]))
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                switch $0 {
                case 0x61...0x7A, 0x30...0x39, 0x5F, 0x2D, 0x2E: true
                default: false
                }
            }
    }
}
