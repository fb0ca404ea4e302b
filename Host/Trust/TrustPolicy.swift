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

    /// A policy of a program that serves one library and has no deployment.
    public init(_ settings: HostConfiguration.Trust, lock: LockFile?) {
        self.settings = settings
        self.lock = lock
    }

    /// Everything that is wrong with running this library as this instance, the gravest first.
    public func findings(_ instance: InstanceDeclaration, _ file: PluginFile) -> [LibraryFinding] {
        Self.ordered(locked(file) + granted(instance, file) + signed(file) + safe(file) + validated(file))
    }

    /// Everything that is wrong with serving this library to hosts, which grant what they grant, the gravest first.
    public func findings(serving file: PluginFile) -> [LibraryFinding] {
        Self.ordered(locked(file) + signed(file) + safe(file) + validated(file))
    }

    private static func ordered(_ found: [LibraryFinding]) -> [LibraryFinding] {
        found.filter(\.refuses) + found.filter { !$0.refuses }
    }

    /// Whether the lock names exactly this build.
    public func isLocked(_ file: PluginFile) -> Bool {
        lock?.plugins[file.manifest.name]?.digests[LockFile.architecture] == file.digest
    }

    /// The badge that the lock has of exactly this build, in words.
    public func badge(_ file: PluginFile) -> String? {
        lock?.plugins[file.manifest.name]?.badges[LockFile.architecture].flatMap {
            $0.digest == file.digest ? $0.shown : nil
        }
    }

    private func locked(_ file: PluginFile) -> [LibraryFinding] {
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
        return found
    }

    /// The grants of an instance whose plugin is locked at all.
    private func granted(_ instance: InstanceDeclaration, _ file: PluginFile) -> [LibraryFinding] {
        guard lock?.plugins[file.manifest.name]?.digests[LockFile.architecture] != nil else { return [] }
        var found: [LibraryFinding] = []
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

    /// A badge in the lock, of this build, by checks that are new enough.
    private func validated(_ file: PluginFile) -> [LibraryFinding] {
        // What runs elsewhere is checked where it runs.
        guard settings.badges != "allow", !file.isServedElsewhere else { return [] }
        let name = file.manifest.name, beside = Badge.path(of: file.path)
        let wanted = "a badge of this build, \(settings.badgeProfile), of kit \(settings.badgeKit) at least"
        func finding(_ code: String, _ found: String, _ fix: String = "") -> [LibraryFinding] {
            let again =
                "theatre plugin validate \(settings.badgeProfile == "quick" ? "--quick " : "")\(file.path)"
                + " --badge \(beside), then theatre plugins lock"
            return [
                LibraryFinding(
                    error: LoadError(
                        plugin: name, code: code, expected: wanted, found: found, fix: fix.isEmpty ? again : fix),
                    refuses: settings.badges == "refuse")
            ]
        }
        guard let badge = lock?.plugins[name]?.badges[LockFile.architecture] else {
            return finding("trust.badge_missing", "none in plugins.d/\(LockFile.name)")
        }
        guard badge.digest == file.digest, badge.plugin == name, badge.version == file.manifest.version else {
            return finding(
                "trust.badge_other", "one of \(badge.plugin) \(badge.version), build \(badge.digest.prefix(12))")
        }
        guard badge.isSound else {
            return finding(
                "trust.badge_failed", "one that says that checks failed",
                "correct the library; see theatre plugin validate \(file.path)")
        }
        guard badge.kit >= settings.badgeKit else { return finding("trust.badge_kit", "one of kit \(badge.kit)") }
        guard badge.profile == "full" || badge.profile == settings.badgeProfile else {
            return finding("trust.badge_profile", "one of the \(badge.profile) checks")
        }
        guard !settings.signatures.isEmpty else { return [] }
        let sign = "theatre plugins sign --key FILE --name KEY \(name), then theatre plugins lock"
        do throws(TrustFailure) {
            let signer = try badge.signer(folder: settings.signatures)
            return signer == nil
                ? finding("trust.badge_unsigned", "no signature of it by a key in \(settings.signatures)", sign) : []
        } catch {
            return finding("trust.bad_key", error.description, sign)
        }
    }

    private func safe(_ file: PluginFile) -> [LibraryFinding] {
        guard settings.files != "allow", let error = FileSafety.fault(of: file.path, plugin: file.manifest.name) else {
            return []
        }
        return [LibraryFinding(error: error, refuses: settings.files == "refuse")]
    }
}
