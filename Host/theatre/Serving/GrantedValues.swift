// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Gateway
import Runtime
import Services
import TheatreManifest

/// The secrets and keys that a plan's instances are granted, read anew, and not in use yet.
///
/// An instance that cannot have one of its own is closed, with the reason; what serves goes on with what it has until
/// the plan is applied.
struct GrantedValues {
    /// The plan, with those closed that cannot have what they are granted.
    private(set) var plan: Fleet.Plan
    /// Newest first, by the deployment's names.
    private(set) var keys: [String: [KeyVersion]] = [:]
    /// By source.
    private(set) var secrets: [String: SecretBytes] = [:]
    /// Sources that could not be read.
    private(set) var unread: Set<String> = []

    /// Reads everything; makes keys that are missing where the deployment says so. Does file work.
    init(_ plan: Fleet.Plan, _ fileKeys: FileKeys, _ fileSecrets: FileAndEnvironmentSecrets, _ host: HostConfiguration)
    {
        self.plan = plan
        self.plan.instances = []
        for instance in plan.instances {
            do throws(LoadError) {
                for (name, grant) in instance.grants.keys.sorted(by: { $0.key < $1.key }) {
                    if let source = grant.source {
                        try read(source, "key \"\(name)\"", of: instance, fileSecrets, host)
                        try check(source, name, grant, of: instance)
                    } else {
                        try read(grant, name, of: instance, fileKeys, host)
                    }
                }
                for (name, grant) in instance.grants.secrets.sorted(by: { $0.key < $1.key }) {
                    try read(grant.source, "secret \"\(name)\"", of: instance, fileSecrets, host)
                }
                self.plan.instances.append(instance)
            } catch {
                self.plan.closed.append(ClosedInstance(instance, error))
            }
        }
    }

    private mutating func read(
        _ grant: ResolvedGrants.KeyGrant, _ name: String, of instance: InstancePlan, _ source: FileKeys,
        _ host: HostConfiguration
    ) throws(LoadError) {
        do throws(CallError) { keys[grant.key] = try source.load(grant) } catch {
            let folder = "\(host.state)/\(host.keysFolder)/\(grant.key)"
            throw LoadError(
                plugin: instance.title, code: error.reason,
                expected: "the key \"\(name)\", \(grant.algorithm), in \(folder)", found: error.message,
                fix: Self.fix(ofKey: error.reason, folder))
        }
    }

    private mutating func read(
        _ source: String, _ what: String, of instance: InstancePlan, _ secrets: FileAndEnvironmentSecrets,
        _ host: HostConfiguration
    ) throws(LoadError) {
        // Those in the database or in a vault are fetched when they are used.
        guard self.secrets[source] == nil, StoredSecrets.name(in: source) == nil, !VaultReference.isKind(of: source)
        else { return }
        do throws(CallError) { self.secrets[source] = try secrets.read(source) } catch {
            unread.insert(source)
            throw LoadError(
                plugin: instance.title, code: error.reason, expected: "the \(what) from \(source)",
                found: error.message, fix: Self.fix(of: source, "\(host.state)/\(host.secretsFolder)"))
        }
    }

    /// A secret that is to be a key is one, of an algorithm of the grant; one in the database is looked at when it is used.
    private func check(
        _ source: String, _ name: String, _ grant: ResolvedGrants.KeyGrant, of instance: InstancePlan
    ) throws(LoadError) {
        guard let value = secrets[source] else { return }
        do throws(CallError) {
            let version = try KeyVersion.read(value, source)
            guard grant.takes(version.algorithm) else {
                throw CallError(
                    .failedPrecondition, "keys.wrong_algorithm", "\(source) holds a key for \(version.algorithm).")
            }
        } catch {
            throw LoadError(
                plugin: instance.title, code: error.reason,
                expected: "the key \"\(name)\", \(grant.algorithm), in \(source)", found: error.message,
                fix: "put another there, or name another under grants.keys")
        }
    }

    private static func fix(of source: String, _ folder: String) -> String {
        let name = source.drop { $0 != ":" }.dropFirst()
        guard source.hasPrefix("file:") else {
            return "set the variable in the host's environment and start it again, or name another under grants.secrets"
        }
        return "put the secret into \(folder)/\(name), mode 0600, and reload, or name another under grants.secrets"
    }

    private static func fix(ofKey reason: String, _ folder: String) -> String {
        switch reason {
        case "keys.bad_name": "name another key under grants.keys"
        case "keys.missing": "put a private JWK into \(folder)/0001.jwk, mode 0600, and reload"
        case "keys.unsafe_file": "make the files in \(folder) readable and writable by their owner alone, mode 0600"
        default: "correct or remove the file, or name another key under grants.keys"
        }
    }
}

extension InstancePlan {
    /// `ledger (Ledger)`, for errors.
    fileprivate var title: String { "\(name) (\(file.manifest.name))" }
}
