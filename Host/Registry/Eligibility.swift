// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// Whether a profile could be bound to a feature.
public struct Eligibility: Sendable, Hashable, Encodable {
    /// The profile.
    public var profile: String
    /// Its instance.
    public var instance: String
    /// True where a route may name it.
    public var isEligible: Bool
    /// Why not, or what makes it so.
    public var reason: String

    private enum CodingKeys: String, CodingKey {
        case profile, instance, reason
        case isEligible = "eligible"
    }

    /// What was found, with the reason.
    enum Verdict: Hashable {
        case eligible
        case disabled
        case incapable(provides: [String])
        case unmet(String)
        case unproved(String)
    }

    static func judge(_ instance: BoundInstance, for feature: Feature, probe: Probes.Result?, oldest: Int64) -> Verdict
    {
        let provides = instance.plugin.manifest.provides
        guard let provision = provides.first(where: { $0.capability == feature.capability }) else {
            return .incapable(provides: provides.map(\.capability))
        }
        for need in feature.needs {
            for (name, requirement) in need.need.requires.sorted(by: { $0.key < $1.key }) {
                if let reason = Requirement.unmet(requirement, by: provision.attributes[name]) {
                    return .unmet("\(name): \(reason)")
                }
            }
        }
        guard let probe else { return .eligible }
        if let failure = probe.failure { return .unproved("its last probe failed: \(failure)") }
        if probe.at < oldest { return .unproved("its last probe is too old") }
        return .eligible
    }
}

extension Eligibility.Verdict {
    /// The verdict in words.
    func reason(_ capability: String) -> String {
        switch self {
        case .eligible: "provides \(capability) and meets what is required"
        case .disabled: "its instance is disabled"
        case .incapable(let provides):
            "does not provide \(capability), only \(provides.isEmpty ? "nothing" : provides.joined(separator: ", "))"
        case .unmet(let reason): reason
        case .unproved(let reason): reason
        }
    }
}
