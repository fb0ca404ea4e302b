// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Compiler {
    /// Manifests of the plugins in use against their contracts.
    mutating func checkPlugins() {
        var seen: Set<String> = []
        for instance in instances where seen.insert(instance.plugin.manifest.name).inserted {
            checkProvisions(instance.plugin)
            checkNeeds(instance.plugin)
            checkCalls(instance.plugin)
        }
    }

    private mutating func checkProvisions(_ plugin: InstalledPlugin) {
        let name = plugin.manifest.name
        for provision in plugin.manifest.provides {
            guard let contract = plugin.contracts.capabilities[provision.capability] else {
                unknownCapability(provision.capability, "provides", plugin)
                continue
            }
            for (attribute, value) in provision.attributes.sorted(by: { $0.key < $1.key }) {
                guard let declared = contract.attributes.first(where: { $0.name == attribute }) else {
                    undeclared(attribute, "states", contract, plugin)
                    continue
                }
                guard !Requirement.matches(value, declared.type) else { continue }
                fault(
                    .attributeType, at: plugin.source,
                    "\(name) states \(attribute) of \(contract.name) as \(value.kind); \(declared.type.words) is expected.",
                    fix: "Correct it in the plugin's manifest.")
            }
            checkOperations(of: contract, plugin)
        }
    }

    private mutating func checkOperations(of contract: ContractFacts.Capability, _ plugin: InstalledPlugin) {
        let provided = plugin.manifest.operations.filter { Manifest.owner(of: $0) == contract.name }
            .map { String($0.dropFirst(contract.name.count + 1)) }
        for operation in provided where contract.operation(operation) == nil {
            unknownOperation(operation, "provides", contract, plugin)
        }
        var demanded: [String: String] = [:]
        for operation in contract.operations where !operation.optional { demanded[operation.name] = "" }
        for operation in contract.operations where provided.contains(operation.name) && !operation.reconcile.isEmpty {
            demanded[operation.reconcile] = " to reconcile \(operation.name)"
        }
        let missing = demanded.keys.filter { !provided.contains($0) }.sorted()
        guard !missing.isEmpty else { return }
        let words = missing.map { $0 + (demanded[$0] ?? "") }.joined(separator: ", ")
        fault(
            .contractIncomplete, at: plugin.source,
            "\(plugin.manifest.name) provides \(contract.name) without \(words), which the contract demands.",
            fix: "Implement it and list it in the manifest's operations.")
    }

    private mutating func checkNeeds(_ plugin: InstalledPlugin) {
        for need in plugin.manifest.needs {
            guard let contract = plugin.contracts.capabilities[need.capability] else {
                unknownCapability(need.capability, "needs", plugin)
                continue
            }
            for (attribute, requirement) in need.requires.sorted(by: { $0.key < $1.key }) {
                guard let declared = contract.attributes.first(where: { $0.name == attribute }) else {
                    undeclared(attribute, "requires", contract, plugin)
                    continue
                }
                guard let shape = Requirement.misshapen(requirement, for: declared.type) else { continue }
                fault(
                    .attributeType, at: plugin.source,
                    "Feature \(need.feature) of \(plugin.manifest.name) requires \(attribute) in a way it cannot be; "
                        + "it is \(declared.type.words).",
                    fix: "Require it as \(shape) in the plugin's manifest.")
            }
        }
    }

    private mutating func checkCalls(_ plugin: InstalledPlugin) {
        let capability = Dictionary(
            plugin.manifest.needs.map { ($0.feature, $0.capability) }, uniquingKeysWith: { first, _ in first })
        for call in plugin.manifest.calls {
            let owner = Manifest.owner(of: call)
            guard let contract = plugin.contracts.capabilities[capability[owner] ?? owner] else { continue }
            let name = call.dropFirst(owner.count + 1)
            guard let operation = contract.operation(name) else {
                unknownOperation(String(name), "calls", contract, plugin)
                continue
            }
            guard operation.hostOnly else { continue }
            fault(
                .callHostOnly, at: plugin.source,
                "\(plugin.manifest.name) calls \(contract.name)/\(name), which only the host may call.",
                fix: "Remove \"\(call)\" from the manifest's calls.")
        }
    }

    private mutating func unknownCapability(_ capability: String, _ verb: String, _ plugin: InstalledPlugin) {
        fault(
            .manifestCapabilityUnknown, at: plugin.source,
            "\(plugin.manifest.name) \(verb) \(capability), which none of its contracts describes"
                + hint(capability, among: plugin.contracts.capabilities.keys),
            fix: "Name a contract that the library carries, or build its contracts anew.")
    }

    private mutating func unknownOperation(
        _ operation: String, _ verb: String, _ contract: ContractFacts.Capability, _ plugin: InstalledPlugin
    ) {
        fault(
            .manifestOperationUnknown, at: plugin.source,
            "\(plugin.manifest.name) \(verb) \(contract.name)/\(operation), which the contract does not have"
                + hint(operation, among: contract.operations.map(\.name)),
            fix: "Name an operation of the contract.")
    }

    private mutating func undeclared(
        _ attribute: String, _ verb: String, _ contract: ContractFacts.Capability, _ plugin: InstalledPlugin
    ) {
        fault(
            .attributeUndeclared, at: plugin.source,
            "\(plugin.manifest.name) \(verb) \(attribute), an attribute that \(contract.name) does not declare"
                + hint(attribute, among: contract.attributes.map(\.name)),
            fix: "Use a declared attribute, or declare it in the contract.")
    }
}

extension ContractFacts.AttributeType {
    /// The type in words.
    var words: String {
        switch self {
        case .integer: "an integer"
        case .string: "a string"
        case .strings: "an array of strings"
        case .boolean: "a boolean"
        }
    }
}
