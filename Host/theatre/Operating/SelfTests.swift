// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import Runtime
import TheatreManifest

/// `STATE/self-tests.json`: what came of it the last time each instance was brought up, by capability. The host writes
/// it whenever what runs has changed; `theatre check --state` and a reload read it.
struct SelfTests: Sendable {
    private let path: String

    /// The file of a state folder.
    init(state: String) { path = "\(state)/self-tests.json" }

    /// What was found last; nothing where there is no file.
    ///
    /// - Throws: `DeploymentFaults` where it cannot be understood.
    func read() throws(DeploymentFaults) -> Probes {
        guard FileManager.default.fileExists(atPath: path) else { return Probes() }
        do { return try Probes(json: Data(contentsOf: URL(filePath: path))) } catch {
            throw DeploymentFaults([
                Fault(
                    .declarationInvalid, at: Source(file: path), "What self-tests found cannot be read: \(error).",
                    fix: "Remove the file; the host writes it anew.")
            ])
        }
    }

    /// Keeps what is known of the instances of a deployment.
    ///
    /// - Parameter now: milliseconds since 1970.
    func write(_ statuses: [InstanceStatus], of deployment: CompiledDeployment, at now: Int64) throws {
        let known = Dictionary(statuses.map { ($0.instance, $0.state) }) { first, _ in first }
        let results = deployment.table.instances.flatMap { instance -> [Probes.Result] in
            guard let state = known[instance.declaration.name], let failure = Self.finding(state) else { return [] }
            let subject = deployment.subject(of: instance)
            return instance.plugin.manifest.provides.map {
                Probes.Result(
                    instance: instance.declaration.name, capability: $0.capability,
                    failure: failure.isEmpty ? nil : failure, at: now, subject: subject)
            }
        }
        try SafeFile.replace(path, with: Array(Probes(results).json()))
    }

    /// Why it failed, empty where it passed; nil where the state says nothing of that: it is disabled, an operator took
    /// it out of service, its library was not even loaded, or its server is only away.
    private static func finding(_ state: InstanceState) -> String? {
        switch state {
        case .ready: return ""
        case .quarantined(let error):
            guard error.code != "instance.quarantined_by_operator" else { return nil }
            let isOfRunning = ["instance.", "probe.", "secrets.", "keys."].contains { error.code.hasPrefix($0) }
            return isOfRunning ? "\(error.code): \(error.found)" : nil
        default: return nil
        }
    }
}
