// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Compiler {
    /// Instances each by itself: name, plugin, mode, configuration, grants.
    mutating func checkInstances(_ validate: (JSONValue, JSONValue) -> [ConfigFault]) {
        var first: [String: InstanceDeclaration] = [:]
        for instance in deployment.instances {
            checkName(of: instance)
            if let other = first[instance.name] {
                fault(
                    .instanceDuplicate, at: instance.source,
                    "Instance \"\(instance.name)\" is declared twice, first at \(other.source).",
                    fix: "Give one of them another name with the key instance.")
                continue
            }
            first[instance.name] = instance
            declared.insert(instance.name)
            // A disabled instance is a note for later: its library need not even be there.
            guard instance.enabled else { continue }
            guard let plugin = plugins[instance.plugin] else {
                fault(
                    .instanceUnknownPlugin, at: instance.map.source(at: "/plugin"),
                    "Instance \"\(instance.name)\" is of plugin \"\(instance.plugin)\", which is not installed"
                        + hint(instance.plugin, among: plugins.keys),
                    fix: "Name an installed plugin, or install this one.")
                continue
            }
            checkMode(of: instance, plugin)
            checkConfig(of: instance, plugin, validate)
            checkGrants(of: instance, plugin)
            instanceIndex[instance.name] = instances.count
            for provision in plugin.manifest.provides {
                providers[provision.capability, default: []].append(instances.count)
            }
            instances.append(BoundInstance(declaration: instance, plugin: plugin))
        }
        checkSingleProviders()
    }

    private mutating func checkName(of instance: InstanceDeclaration) {
        guard
            instance.name.wholeMatch(of: #/[a-z][a-z0-9]*([_-][a-z0-9]+)*/#) == nil || instance.name.count > 40
                || instance.name == "host"
        else { return }
        fault(
            .instanceName, at: instance.map.source(at: "/instance"),
            instance.name == "host"
                ? "An instance cannot be named \"host\", which is the host's own name."
                : "\"\(instance.name)\" cannot name an instance.",
            fix: "Use at most 40 lower-case letters and digits, with single - or _ between, and a letter first.")
    }

    private mutating func checkMode(of instance: InstanceDeclaration, _ plugin: InstalledPlugin) {
        guard !plugin.manifest.modes.contains(instance.mode) else { return }
        fault(
            .modeForbidden, at: instance.map.source(at: "/mode"),
            "Instance \"\(instance.name)\" is to run in mode \(instance.mode), which \(instance.plugin) forbids.",
            fix: "Set mode to \(plugin.manifest.modes.joined(separator: " or ")).")
    }

    private mutating func checkConfig(
        of instance: InstanceDeclaration, _ plugin: InstalledPlugin, _ validate: (JSONValue, JSONValue) -> [ConfigFault]
    ) {
        for failure in validate(plugin.manifest.configuration, instance.config) {
            let place = failure.pointer.isEmpty ? "config" : "config\(failure.pointer)"
            fault(
                .instanceConfig, at: instance.map.source(at: "/config\(failure.pointer)"),
                "\(place) of instance \"\(instance.name)\" is \(failure.found); \(failure.expected).",
                fix: "Correct the value as the README of \(instance.plugin) says.")
        }
    }

    /// A contract that only one may provide has one provider.
    private mutating func checkSingleProviders() {
        for (capability, indexes) in providers where indexes.count > 1 {
            let all = indexes.map { instances[$0] }
            guard all.contains(where: { $0.plugin.contracts.capabilities[capability]?.many == false }) else { continue }
            let names = all.map { "\"\($0.declaration.name)\"" }
            fault(
                .capabilityDuplicate, at: all[1].declaration.source,
                "Instances \(names.joined(separator: " and ")) provide \(capability), which only one may.",
                fix: "Disable all but one of them.")
        }
    }
}
