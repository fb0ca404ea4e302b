// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Compiler {
    /// What the plugin asks for against what the deployment grants, both ways.
    mutating func checkGrants(of instance: InstanceDeclaration, _ plugin: InstalledPlugin) {
        let asked = plugin.manifest.grants
        let granted = instance.grants
        var check = GrantCheck(instance: instance)
        for secret in asked.secrets where granted.secrets[secret.name] == nil && !secret.optional {
            check.missing("secret \"\(secret.name)\"", add: "\(secret.name): {from: \"env:NAME\"}", under: "secrets")
        }
        let secrets = asked.secrets.map(\.name)
        for name in granted.secrets.keys.sorted() where !secrets.contains(name) {
            check.excess("secret \"\(name)\"" + near(name, secrets), at: "/secrets/\(name)")
        }
        for key in asked.keys where granted.keys[key.name] == nil && !key.optional {
            check.missing("key \"\(key.name)\"", add: "\(key.name): {key: \"NAME\"}", under: "keys")
        }
        let keys = asked.keys.map(\.name)
        for name in granted.keys.keys.sorted() where !keys.contains(name) {
            check.excess("key \"\(name)\"" + near(name, keys), at: "/keys/\(name)")
        }
        for word in asked.publishes where !granted.publishes.contains(word) {
            check.missing("publishing of \"\(word)\" events", add: word, under: "publishes")
        }
        for (index, word) in granted.publishes.enumerated() where !asked.publishes.contains(word) {
            check.excess("publishing of \"\(word)\" events" + near(word, asked.publishes), at: "/publishes/\(index)")
        }
        if asked.stateFolder, !granted.stateFolder {
            check.missing("a state folder", add: "true", under: "state_folder")
        }
        if granted.stateFolder, !asked.stateFolder { check.excess("a state folder", at: "/state_folder") }
        if asked.operate, !granted.operate {
            check.missing("to operate the host's instances", add: "true", under: "operate")
        }
        if granted.operate, !asked.operate { check.excess("to operate the host's instances", at: "/operate") }
        if asked.personal, !granted.personal {
            check.missing("to personal data and its keys", add: "true", under: "personal")
        }
        if granted.personal, !asked.personal { check.excess("to personal data and its keys", at: "/personal") }
        for (index, file) in granted.files.enumerated()
        where asked.files == "none" || (file.isWritable && asked.files == "read") {
            check.excess(
                "\(file.isWritable ? "writing" : "reading") of \"\(file.path)\"", at: "/files/\(index)")
        }
        checkHosts("egress", asked.egress, granted.egress, plugin, &check)
        checkHosts("connect", asked.connect, granted.connect, plugin, &check)
        faults += check.faults
    }

    private func checkHosts(
        _ kind: String, _ asked: [String], _ granted: [InstanceDeclaration.Egress], _ plugin: InstalledPlugin,
        _ check: inout GrantCheck
    ) {
        let grants = granted.map { Endpoint(host: $0.host, port: $0.port) }
        var covered = Array(repeating: false, count: grants.count)
        for request in asked {
            let patterns = Self.patterns(of: request, check.instance.config, plugin.manifest.configuration)
            for pattern in patterns ?? [] {
                var isMet = false
                for (index, grant) in grants.enumerated() where pattern.covers(grant) {
                    covered[index] = true
                    isMet = true
                }
                if !isMet { check.missing("\(kind) to \(pattern)", add: "\"\(pattern)\"", under: kind) }
            }
        }
        for (index, grant) in grants.enumerated() where !covered[index] {
            check.excess("\(kind) to \(grant)", at: "/\(kind)/\(index)")
        }
    }

    /// The hosts a request of a manifest means under this configuration; nil where the configuration says none.
    fileprivate static func patterns(of request: String, _ config: JSONValue, _ schema: JSONValue) -> [Endpoint]? {
        guard request.hasPrefix("config:") else { return Endpoint(request).map { [$0] } }
        let pointers = request.dropFirst("config:".count).split(separator: ":").map(String.init)
        guard let first = pointers.first, let value = value(at: first, config, schema) else { return nil }
        let texts = value.string.map { [$0] } ?? value.array?.compactMap(\.string)
        guard pointers.count > 1 else { return texts?.compactMap(Endpoint.init(url:)) }
        // Servers rather than URLs, and where the port stands that they need not say; a path is a socket's, no host.
        let port = self.value(at: pointers[1], config, schema)?.integer.map { Int($0) }
        return texts?.compactMap { text in
            guard var server = Endpoint(text) else { return nil }
            server.port = server.port ?? port
            return server
        }
    }

    /// What the configuration says there, or else its schema's default.
    private static func value(at pointer: String, _ config: JSONValue, _ schema: JSONValue) -> JSONValue? {
        config.value(at: pointer) ?? schema.value(at: pointer.replacing("/", with: "/properties/") + "/default")
    }

    private func near(_ name: String, _ names: [String]) -> String {
        nearestMatch(to: name, among: names).map { " (did you mean \"\($0)\"?)" } ?? ""
    }
}

extension InstanceDeclaration {
    /// The servers that `grants.connect` of a manifest means under a configuration: what an instance of it is granted at
    /// least.
    package static func servers(askedBy manifest: Manifest, _ config: JSONValue) -> [Egress] {
        manifest.grants.connect.flatMap { Compiler.patterns(of: $0, config, manifest.configuration) ?? [] }
            .map { Egress(host: $0.host, port: $0.port) }
    }
}

/// Faults of one instance's grants.
private struct GrantCheck {
    let instance: InstanceDeclaration
    var faults: [Fault] = []

    mutating func missing(_ what: String, add: String, under key: String) {
        faults.append(
            Fault(
                .grantMissing, at: instance.map.source(at: "/grants"),
                "\(instance.plugin) needs \(what), which instance \"\(instance.name)\" is not granted.",
                fix: "Add \(add) to grants.\(key)."))
    }

    mutating func excess(_ what: String, at pointer: String) {
        faults.append(
            Fault(
                .grantExcess, at: instance.map.source(at: "/grants\(pointer)"),
                "Instance \"\(instance.name)\" is granted \(what), which \(instance.plugin) never asks for.",
                fix: "Remove the grant."))
    }
}
