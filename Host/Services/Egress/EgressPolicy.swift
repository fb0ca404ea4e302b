// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime

/// Decides by an instance's grants whether a URL may be asked for.
struct EgressPolicy: Sendable {
    /// False only in tests that have no certificate.
    var requiresTLS = true

    /// The host that stands for this deployment's own listener.
    static let ownHost = "self.theatre"

    /// What a grant lets through.
    enum Passage: Sendable, Hashable {
        /// Public addresses only.
        case `public`
        /// Any address.
        case `private`
        /// This deployment's own listener.
        case own
    }

    /// How `url` may be reached, or PERMISSION_DENIED `egress.refused`.
    func passage(to url: EgressURL, _ grants: [ResolvedGrants.EgressGrant]) throws(CallError) -> Passage {
        if url.host == Self.ownHost {
            guard grants.contains(where: { $0.host == Self.ownHost }) else { throw Self.refused(url) }
            return .own
        }
        let matching = grants.filter { $0.port ?? 443 == url.port && Self.matches($0.host, url.host) }
        if matching.contains(where: \.isPrivate) { return .private }
        guard !matching.isEmpty else { throw Self.refused(url) }
        guard url.isSecure || !requiresTLS else {
            throw CallError(
                .permissionDenied, "egress.refused",
                "Plain http to \(url.place) needs a grant that says private; use https.", detail: "/url")
        }
        if let address = url.address, !AddressPolicy.isPublic(address) { throw Self.inward(url.place) }
        return .public
    }

    /// An exact host, or `*.domain` for every host below it.
    static func matches(_ pattern: String, _ host: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return pattern.lowercased() == host }
        let suffix = pattern.dropFirst().lowercased()
        return host.hasSuffix(suffix) && host.utf8.count > suffix.utf8.count
    }

    /// The address is not of the public internet and the grant does not say `private`.
    static func inward(_ place: String) -> CallError {
        CallError(
            .permissionDenied, "egress.refused",
            "\(place) is a private, loopback or link-local address; the grant would have to say private.",
            detail: "/url")
    }

    private static func refused(_ url: EgressURL) -> CallError {
        CallError(
            .permissionDenied, "egress.refused",
            "\(url.place) is not granted; add it to the manifest's and the instance's egress grants.", detail: "/url")
    }
}
