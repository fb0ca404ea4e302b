// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// What a provider passes on of an identity token's claims, as texts.
public enum IdentityClaims {
    private static let names = ["name", "nickname", "picture", "locale", "zoneinfo", "preferred_username"]

    /// Texts of at most 1024 bytes; an address with whether it was proved, which some write as a text.
    public static func vouched(_ claims: [String: JSONValue]) -> [String: String] {
        var vouched: [String: String] = [:]
        for name in names + ["email"] {
            if let text = claims[name]?.string, (1...1024).contains(text.utf8.count) { vouched[name] = text }
        }
        if vouched["email"] != nil { vouched["email_verified"] = "\(isTrue(claims["email_verified"]))" }
        return vouched
    }

    /// `true`, or the text `"true"`.
    public static func isTrue(_ value: JSONValue?) -> Bool { value == .bool(true) || value?.string == "true" }
}
