// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging

/// Takes values out of log metadata whose key says that they are secret.
public enum Redaction {
    /// What stands in their place.
    static let mark = "<redacted>"

    /// Last words of keys whose values are never written.
    private static let secretWords: Set<String> = [
        "authorization", "cookie", "credential", "credentials", "mac", "passphrase", "password", "secret", "secrets",
        "signature", "token", "tokens",
    ]
    private static let secretNames: Set<String> = [
        "api-key", "api_key", "apikey", "private-key", "private_key", "set-cookie", "access_token", "refresh_token",
    ]

    /// True for a key such as `authorization`, `http.request.authorization` or `refresh_token`.
    static func isSecret(_ key: String) -> Bool {
        let lower = key.lowercased()
        if secretNames.contains(lower) { return true }
        let words = lower.split { $0 == "." || $0 == "_" || $0 == "-" }
        if let last = words.last, secretWords.contains(String(last)) { return true }
        return secretNames.contains(String(lower.split(separator: ".").last ?? ""))
    }

    /// The metadata without secrets, also in nested values.
    public static func clean(_ metadata: Logger.Metadata) -> Logger.Metadata {
        var result = metadata
        for (key, value) in metadata { result[key] = isSecret(key) ? .string(mark) : clean(value) }
        return result
    }

    private static func clean(_ value: Logger.MetadataValue) -> Logger.MetadataValue {
        switch value {
        case .dictionary(let inner): .dictionary(clean(inner))
        case .array(let values): .array(values.map(clean))
        default: value
        }
    }
}
