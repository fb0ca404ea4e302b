// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry
public import Runtime
internal import TheatreManifest

/// What must hold of a library before it is loaded: its lock, its signature, and who may write its file.
public struct TrustPolicy: LibraryJudging {
    /// `trust` of `00-host.yaml`.
    public let settings: HostConfiguration.Trust
    /// nil where there is none.
    public let lock: LockFile?

    /// A policy by a deployment's settings and its lock.
    ///
    /// - Parameter folder: `plugins.d`.
    /// - Throws: ``TrustFailure`` where the lock cannot be understood.
    public init(_ settings: HostConfiguration.Trust, folder: String) throws(TrustFailure) {
        self.settings = settings
        lock = try LockFile.read(folder: folder)
    }

    /// Everything that is wrong with running this library as this instance, the gravest first.
    public func findings(_ instance: InstanceDeclaration, _ file: PluginFile) -> [LibraryFinding] {
        let found = locked(instance, file) + signed(file) + safe(file)
        return found.filter(\.refuses) + found.filter { !$0.refuses }
    }

    /// Whether the lock names exactly this build.
    public func isLocked(_ file: PluginFile) -> Bool {
        lock?.plugins[file.manifest.name]?.digests[LockFile.architecture] == file.digest
    }

    private func locked(_ instance: InstanceDeclaration, _ file: PluginFile) -> [LibraryFinding] {
        let name = file.manifest.name
        guard let entry = lock?.plugins[name] else { return unlocked(name, "no entry for \(name)") }
        guard let digest = entry.digests[LockFile.architecture] else {
            return unlocked(name, "no digest for \(LockFile.architecture)")
        }
        var found: [LibraryFinding] = []
        if digest != file.digest {
            let isOther = entry.version != file.manifest.version
            found.append(
                LibraryFinding(
                    error: LoadError(
                        plugin: name, code: "trust.digest",
                        expected: "the locked build \(digest.prefix(12)) of version \(entry.version)",
                        found: "\(file.digest.prefix(12))" + (isOther ? " of version \(file.manifest.version)" : ""),
                        fix: "put the locked build back, or accept this one with `theatre plugins lock`"), refuses: true
                ))
        }
        if let locked = lock?.instances[instance.name] {
            if locked.grants != instance.grants.json || locked.plugin != instance.plugin {
                found.append(
                    LibraryFinding(
                        error: LoadError(
                            plugin: instance.name, code: "trust.grants", expected: "the grants it was locked with",
                            found: "others in plugins.d",
                            fix: "see `theatre plugins lock --dry-run`, then accept them with `theatre plugins lock`"),
                        refuses: settings.unlocked == "refuse"))
            }
        } else {
            found += unlocked(instance.name, "no entry for instance \(instance.name)")
        }
        return found
    }

    /// What is not in the lock is treated by the setting `unlocked`.
    private func unlocked(_ name: String, _ what: String) -> [LibraryFinding] {
        guard settings.unlocked != "allow" else { return [] }
        let found = lock == nil ? "no \(LockFile.name)" : what
        return [
            LibraryFinding(
                error: LoadError(
                    plugin: name, code: "trust.unlocked", expected: "an entry in plugins.d/\(LockFile.name)",
                    found: found, fix: "look at it, then run `theatre plugins lock`"),
                refuses: settings.unlocked == "refuse")
        ]
    }

    private func signed(_ file: PluginFile) -> [LibraryFinding] {
        guard !settings.signatures.isEmpty else { return [] }
        let name = file.manifest.name
        func finding(_ code: String, _ found: String) -> [LibraryFinding] {
            [
                LibraryFinding(
                    error: LoadError(
                        plugin: name, code: code,
                        expected: "a signature by a key in \(settings.signatures)", found: found,
                        fix: "theatre plugins sign --key FILE --name KEY \(name)"), refuses: true)
            ]
        }
        do throws(TrustFailure) {
            let signer = try Signature.signer(file, library: file.path, folder: settings.signatures)
            return signer == nil ? finding("trust.unsigned", "none that holds") : []
        } catch {
            return finding("trust.bad_key", error.description)
        }
    }

    private func safe(_ file: PluginFile) -> [LibraryFinding] {
        guard settings.files != "allow", let error = FileSafety.fault(of: file.path, plugin: file.manifest.name) else {
            return []
        }
        return [LibraryFinding(error: error, refuses: settings.files == "refuse")]
    }
}
