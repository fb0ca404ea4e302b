// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Compiler {
    /// The needs of enabled instances and of the host, by feature.
    mutating func gatherFeatures() {
        for need in deployment.hostNeeds {
            add(FeatureNeed(need: need, instance: "host", source: Source(file: "host")))
        }
        for instance in instances {
            for need in instance.plugin.manifest.needs {
                add(FeatureNeed(need: need, instance: instance.declaration.name, source: instance.declaration.source))
            }
        }
    }

    private mutating func add(_ need: FeatureNeed) {
        let name = need.need.feature
        guard let known = features[name] else {
            features[name] = Feature(name: name, capability: need.need.capability, needs: [need])
            featureOrder.append(name)
            return
        }
        guard known.capability == need.need.capability else {
            fault(
                .featureConflict, at: need.source,
                "Feature \(name) needs \(need.need.capability) for \"\(need.instance)\" and \(known.capability) for "
                    + "\"\(known.needs[0].instance)\".",
                fix: "Rename the feature in one of the plugins' manifests.")
            return
        }
        features[name]?.needs.append(need)
    }

    /// One profile for each instance, and those declared; one of its instance's own name replaces the first kind.
    mutating func gatherProfiles() {
        for instance in instances {
            let name = instance.declaration.name
            profiles[name] = ProfileDeclaration(name: name, instance: name, source: instance.declaration.source)
            profileOrder.append(name)
        }
        var explicit: Set<String> = []
        for profile in deployment.profiles {
            guard declared.contains(profile.instance) else {
                fault(
                    .profileUnknownInstance, at: profile.source,
                    "Profile \"\(profile.name)\" uses instance \"\(profile.instance)\", which is not declared"
                        + hint(profile.instance, among: declared),
                    fix: "Name a declared instance.")
                profiles[profile.name] = profiles[profile.name] ?? profile
                continue
            }
            let isOwn = profile.name == profile.instance && explicit.insert(profile.name).inserted
            guard isOwn || (!declared.contains(profile.name) && profiles[profile.name] == nil) else {
                let other = profiles[profile.name].map { ", declared at \($0.source)" } ?? ""
                fault(
                    .profileDuplicate, at: profile.source,
                    "Profile \"\(profile.name)\" has the name of another profile or instance\(other).",
                    fix: "Give it another name.")
                continue
            }
            if profiles.updateValue(profile, forKey: profile.name) == nil { profileOrder.append(profile.name) }
        }
    }

    /// Whether a profile can be bound to a feature.
    func eligibility(of profile: ProfileDeclaration, for feature: Feature) -> Eligibility.Verdict {
        guard let index = instanceIndex[profile.instance] else { return .disabled }
        return Eligibility.judge(
            instances[index], for: feature,
            probe: probes[Probed(instance: profile.instance, capability: feature.capability)],
            oldest: deployment.development ? .min : probing.now - probing.maximumAge)
    }
}
