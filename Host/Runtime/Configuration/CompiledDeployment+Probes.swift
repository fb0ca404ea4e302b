// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
public import Registry
internal import TheatreManifest

extension CompiledDeployment {
    /// Whether probes failed of what this deployment runs: the results that count. One of an instance that has another
    /// library, configuration, secret or key by now does not, and one that passed is of no age.
    public func failures(among probes: Probes) -> Probes {
        let subjects = Dictionary(
            table.instances.map { ($0.declaration.name, subject(of: $0)) }, uniquingKeysWith: { first, _ in first })
        var counting = probes
        counting.results = probes.results.filter { result in
            result.failure != nil && (result.subject == nil || result.subject == subjects[result.instance])
        }
        return counting
    }

    /// What would be wrong with this deployment if what failed counted: the faults that it has for them alone.
    public func unproved(by probes: Probes) -> [Fault] {
        let counting = failures(among: probes)
        guard !counting.results.isEmpty else { return [] }
        do throws(DeploymentFaults) {
            _ = try CompiledDeployment(documents, libraries: libraries, known: files, probes: counting)
            return []
        } catch {
            return error.faults
        }
    }

    /// Equal for an instance of the same library, configuration, secrets and keys.
    public func subject(of instance: BoundInstance) -> String {
        let declaration = instance.declaration
        let grants = declaration.grants
        let parts =
            [
                declaration.plugin, declaration.mode, files[declaration.plugin]?.digest ?? "",
                "\(text(declaration.config))",
            ]
            + grants.secrets.map { "secret \($0.key) \($0.value.from)" }.sorted()
            + grants.keys.map { "key \($0.key) \($0.value)" }.sorted()
        let digest = SHA256.hash(data: Data(parts.joined(separator: "\n").utf8))
        return digest.prefix(16).map { String(byte: $0) }.joined()
    }

    private func text(_ config: JSONValue) -> String {
        do { return String(decoding: try config.json(), as: UTF8.self) } catch { return "\(error)" }
    }
}
