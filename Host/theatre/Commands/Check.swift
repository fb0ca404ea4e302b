// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Gateway
import Logging
import Registry
import Runtime
import Trust

/// `theatre check`.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prove a deployment without serving it.",
        discussion: "Prints every fault with its place and its fix. Ends with status 1 if there is one.")

    @OptionGroup var deployment: DeploymentOptions

    @Flag(help: "Print the faults as JSON.")
    var json = false

    @OptionGroup var probed: ProbesOption

    @Option(help: "Folder of a host's state: what came of it when it last brought the instances up counts too.")
    var state: String?

    func run() throws {
        let faults: [Fault]
        var proved: CompiledDeployment?
        do throws(DeploymentFaults) {
            proved = try CompiledDeployment.read(
                folder: deployment.pluginsD, libraries: deployment.libraryFolder, probes: try probed.read())
            if let proved { _ = try GatewayTable.make(proved, calls: Dispatcher(), log: Logger(label: "check")) }
            faults = try unproved(proved)
        } catch {
            faults = error.faults
        }
        let judged = try proved.map(judge) ?? []
        let libraryFaults = (proved.map(Self.libraryFaults) ?? []) + judged.filter(\.refuses).map(\.error)
        let warnings = judged.filter { !$0.refuses }.map(\.error)
        if json {
            try printJSON(faults, libraryFaults, warnings)
        } else {
            printText(faults, libraryFaults, proved)
            for warning in warnings { print("warning: \(warning)") }
        }
        if !faults.isEmpty || !libraryFaults.isEmpty { throw ExitCode(1) }
    }

    /// Faults for what failed when a host last brought it up.
    private func unproved(_ proved: CompiledDeployment?) throws(DeploymentFaults) -> [Fault] {
        guard let state, let proved else { return [] }
        return proved.unproved(by: try SelfTests(state: state).read())
    }

    /// Libraries that can be described but not loaded, and those that cannot be described.
    private static func libraryFaults(_ deployment: CompiledDeployment) -> [LoadError] {
        deployment.files.values.compactMap(\.fault).sorted { $0.plugin < $1.plugin }
            + deployment.broken.values.sorted { $0.plugin < $1.plugin }
    }

    /// What the host will find about the libraries' locks, signatures, badges and files, each once.
    private func judge(_ proved: CompiledDeployment) throws -> [LibraryFinding] {
        let policy: TrustPolicy
        do throws(TrustFailure) {
            policy = try TrustPolicy(proved.host.trust, folder: deployment.pluginsD)
        } catch {
            printError("\(error)")
            throw ExitCode(1)
        }
        var found: [LibraryFinding] = []
        for instance in proved.instances where instance.enabled {
            guard let file = proved.files[instance.plugin] else { continue }
            for finding in policy.findings(instance, file) where !found.contains(finding) { found.append(finding) }
        }
        return found
    }

    private func printText(_ faults: [Fault], _ libraries: [LoadError], _ proved: CompiledDeployment?) {
        for fault in faults { print("\(deployment.pluginsD)/\(fault)") }
        for fault in libraries { print(fault) }
        if let note = deployment.note(on: faults) { print(note) }
        let count = faults.count + libraries.count
        guard count == 0, let proved else {
            print("\(count) fault\(count == 1 ? "" : "s")")
            return
        }
        print(
            "\(proved.table.instances.count) instances, \(proved.table.featureNames.count) features: every need is met, nothing is wrong"
        )
    }

    private func printJSON(_ faults: [Fault], _ libraries: [LoadError], _ warnings: [LoadError]) throws {
        struct Report: Encodable {
            var ok: Bool
            var faults: [Fault]
            var libraries: [Library]
            var warnings: [Library]
            struct Library: Encodable {
                var plugin, code, expected, found, fix: String

                init(_ error: LoadError) {
                    (plugin, code, expected) = (error.plugin, error.code, error.expected)
                    (found, fix) = (error.found, error.fix)
                }
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let report = Report(
            ok: faults.isEmpty && libraries.isEmpty, faults: faults,
            libraries: libraries.map(Report.Library.init), warnings: warnings.map(Report.Library.init))
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
