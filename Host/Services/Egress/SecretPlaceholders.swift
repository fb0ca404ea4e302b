// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import TheatreContracts

/// Puts secrets in the place of `${secret:NAME}`, only where the grant binds them to.
struct SecretPlaceholders: Sendable {
    /// The instance's secrets by its names for them.
    var grants: [String: ResolvedGrants.SecretGrant]
    /// Where values come from.
    var source: any SecretSource

    private static let opening = "${secret:"

    /// True where `text` holds a placeholder.
    static func occur(in text: String) -> Bool { text.contains(opening) }

    /// The instance's names of the secrets that a request has placeholders for, in order.
    func names(in message: HostFetchRequest) -> [String] {
        guard !grants.isEmpty else { return [] }
        let texts = ([message.url] + message.headers.map(\.value)).filter(Self.occur(in:))
        guard !texts.isEmpty else { return [] }
        return grants.keys.filter { name in texts.contains { $0.contains("\(Self.opening)\(name)}") } }.sorted()
    }

    /// `text` with its placeholders filled for a header of `host`.
    func header(_ name: String, _ text: String, host: String) throws(CallError) -> String {
        try fill(text, host: host, place: name.lowercased()) { $0 }
    }

    /// `text` with its placeholders filled for the path of a URL of `host`, percent-encoded.
    func path(_ text: String, host: String) throws(CallError) -> String {
        try fill(text, host: host, place: "path", Self.percentEncoded)
    }

    /// `text` with its placeholders filled for the query of a URL of `host`, percent-encoded: for the few providers that
    /// take their secret nowhere else, and only where the grant names the place `query`.
    func query(_ text: String, host: String) throws(CallError) -> String {
        try fill(text, host: host, place: "query", Self.percentEncoded)
    }

    private func fill(
        _ text: String, host: String, place: String, _ encode: (String) -> String
    ) throws(CallError) -> String {
        guard Self.occur(in: text) else { return text }
        var result = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: Self.opening) {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw CallError(
                    .invalidArgument, "egress.bad_placeholder",
                    "A secret placeholder is not closed; write ${secret:NAME}.")
            }
            let value = try value(String(rest[start.upperBound..<end]), host: host, place: place)
            result += encode(value)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private func value(_ name: String, host: String, place: String) throws(CallError) -> String {
        guard let grant = grants[name], grant.hosts.contains(where: { EgressPolicy.matches($0, host) }),
            grant.places.contains(where: { $0.lowercased() == place })
        else {
            let known = grants[name] == nil ? "an unknown secret" : "secret \(name)"
            let spot = ["path", "query"].contains(place) ? "the \(place)" : "header \(place)"
            throw CallError(
                .permissionDenied, "egress.secret_misplaced",
                "The request puts \(known) into \(spot) for \(host), which no grant allows.")
        }
        let text = try source.value(for: grant.source).text()
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw CallError(
                .failedPrecondition, "egress.secret_unusable",
                "Secret \(name) holds control characters and cannot be sent in HTTP; store it on one line.")
        }
        return text
    }

    private static func percentEncoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: result.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x2d, 0x2e, 0x5f, 0x7e, 0x3a: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                result += "%" + (hex.utf8.count == 1 ? "0" : "") + hex
            }
        }
        return result
    }
}
