// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry
public import Runtime
internal import TheatreManifest

extension LockFile {
    /// A lock of a deployment as it stands, with the badges beside its libraries. Digests and badges of other
    /// architectures are kept where the version is the same, and a badge of this one where the build is.
    ///
    /// - Throws: ``TrustFailure`` where a badge cannot be understood, or is not of the library that it is beside.
    public init(_ deployment: CompiledDeployment, keeping old: LockFile? = nil) throws(TrustFailure) {
        for instance in deployment.instances where instance.enabled {
            guard let file = deployment.files[instance.plugin] else { continue }
            let version = file.manifest.version
            var digests = old?.plugins[instance.plugin].flatMap { $0.version == version ? $0.digests : nil } ?? [:]
            digests[Self.architecture] = file.digest
            var badges = old?.plugins[instance.plugin].flatMap { $0.version == version ? $0.badges : nil } ?? [:]
            if badges[Self.architecture]?.digest != file.digest { badges[Self.architecture] = nil }
            if let badge = try Self.badge(of: file) { badges[Self.architecture] = badge }
            plugins[instance.plugin] = Plugin(version: version, digests: digests, badges: badges)
            instances[instance.name] = Instance(plugin: instance.plugin, grants: instance.grants.json)
        }
    }

    private static func badge(of file: PluginFile) throws(TrustFailure) -> Badge? {
        guard !file.isServedElsewhere, let badge = try Badge.read(library: file.path) else { return nil }
        guard badge.digest == file.digest, badge.plugin == file.manifest.name else {
            throw TrustFailure(
                "\(Badge.path(of: file.path)) is of \(badge.plugin), build \(badge.digest.prefix(12)), and beside it is "
                    + "\(file.manifest.name), build \(file.digest.prefix(12)); make it anew with "
                    + "`theatre plugin validate \(file.path) --badge \(Badge.path(of: file.path))`, or remove it")
        }
        return badge
    }

    /// What another lock has otherwise, one line each: `Ledger: version 0.1.0 → 0.2.0`.
    public func changes(to next: LockFile) -> [String] {
        var lines: [String] = []
        for name in Set(plugins.keys).union(next.plugins.keys).sorted() {
            switch (plugins[name], next.plugins[name]) {
            case (nil, let new?): lines.append("\(name): new, version \(new.version), \(Self.short(new))")
            case (_?, nil): lines.append("\(name): not used any more")
            case (let old?, let new?) where old != new:
                if old.version != new.version { lines.append("\(name): version \(old.version) → \(new.version)") }
                if old.digests != new.digests {
                    lines.append("\(name): digest \(Self.short(old)) → \(Self.short(new))")
                }
                if old.badges != new.badges {
                    lines.append("\(name): badge \(Self.badge(old)) → \(Self.badge(new))")
                }
            default: break
            }
        }
        for name in Set(instances.keys).union(next.instances.keys).sorted() {
            switch (instances[name], next.instances[name]) {
            case (nil, _?): lines.append("\(name): new instance")
            case (_?, nil): lines.append("\(name): no instance any more")
            case (let old?, let new?) where old != new: lines.append("\(name): other grants")
            default: break
            }
        }
        return lines
    }

    private static func badge(_ plugin: Plugin) -> String {
        plugin.badges[architecture].map { "of \($0.shown)" } ?? "none for \(architecture)"
    }

    private static func short(_ plugin: Plugin) -> String {
        plugin.digests[architecture].map { String($0.prefix(12)) } ?? "none for \(architecture)"
    }
}

extension InstanceDeclaration.Grants {
    /// As the lock keeps them: every kind that grants something.
    var json: JSONValue {
        var members: [String: JSONValue] = [:]
        if !egress.isEmpty {
            members["egress"] = .array(
                egress.map { "\($0.host):\($0.port ?? 443)\($0.isPrivate ? " private" : "")" }.sorted()
                    .map { .string($0) })
        }
        if !secrets.isEmpty {
            members["secrets"] = .object(
                secrets.mapValues {
                    .object(["from": .string($0.from), "hosts": .array($0.hosts.sorted().map { .string($0) })])
                })
        }
        if !keys.isEmpty { members["keys"] = .object(keys.mapValues { .string($0) }) }
        if !publishes.isEmpty { members["publishes"] = .array(publishes.sorted().map { .string($0) }) }
        if !files.isEmpty {
            members["files"] = .array(
                files.map { "\($0.path) \($0.isWritable ? "write" : "read")" }.sorted().map { .string($0) })
        }
        if !connect.isEmpty {
            members["connect"] = .array(
                connect.map { "\($0.host):\($0.port ?? 0)" }.sorted().map { .string($0) })
        }
        if stateFolder { members["state_folder"] = .bool(true) }
        if operate { members["operate"] = .bool(true) }
        if personal { members["personal"] = .bool(true) }
        return .object(members)
    }
}
