// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A session's token in a cookie, for pages: a script cannot read it, another site's page cannot use it.
struct SessionCookie: Sendable {
    /// `__Host-…` binds it to this host and to TLS; without TLS, in development, it has no such prefix.
    let name: String
    private let isSecure: Bool

    init(isSecure: Bool) {
        self.isSecure = isSecure
        name = isSecure ? "__Host-theatre" : "theatre"
    }

    /// The token in a Cookie field; nil where there is none, or two that differ: somebody planted one.
    func token(in field: String) -> Substring? {
        var found: Substring?
        for part in field.split(separator: ";") {
            let pair = part.drop { $0 == " " }
            guard pair.utf8.count > name.utf8.count, pair.hasPrefix(name),
                pair.utf8[pair.utf8.index(pair.startIndex, offsetBy: name.utf8.count)] == UInt8(ascii: "=")
            else { continue }
            let value = pair[pair.utf8.index(pair.startIndex, offsetBy: name.utf8.count + 1)...]
            guard found == nil || found == value else { return nil }
            found = value
        }
        return found?.isEmpty == true ? nil : found
    }

    /// Value of Set-Cookie for a token with so many seconds left; an empty token takes the cookie away.
    func field(_ token: Substring, seconds: Int64) -> String {
        "\(name)=\(token); Path=/; Max-Age=\(token.isEmpty ? 0 : max(0, seconds)); HttpOnly; SameSite=Strict"
            + (isSecure ? "; Secure" : "")
    }
}
