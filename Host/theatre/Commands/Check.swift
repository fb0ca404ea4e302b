// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Registry
import Runtime

/// `theatre check`.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prove a deployment without serving it.",
        discussion: "Prints every fault with its place and its fix. Ends with status 1 if there is one.")

    @OptionGroup var deployment: DeploymentOptions

    @Flag(help: "Print the faults as JSON.")
    var json = false

    func run() throws {
        let faults: [Fault]
        var proved: CompiledDeployment?
        do throws(DeploymentFaults) {
            proved = try CompiledDeployment.read(folder: deployment.pluginsD, libraries: deployment.libraryFolder)
            faults = []
        } catch {
            faults = error.faults
        }
        let libraryFaults = proved.map(Self.libraryFaults) ?? []
        if json { try printJSON(faults, libraryFaults) } else { printText(faults, libraryFaults, proved) }
        if !faults.isEmpty || !libraryFaults.isEmpty { throw ExitCode(1) }
    }

    /// Libraries that can be described but not loaded, and those that cannot be described.
    private static func libraryFaults(_ deployment: CompiledDeployment) -> [LoadError] {
        deployment.files.values.compactMap(\.fault).sorted { $0.plugin < $1.plugin }
            + deployment.broken.values.sorted { $0.plugin < $1.plugin }
    }

    private func printText(_ faults: [Fault], _ libraries: [LoadError], _ proved: CompiledDeployment?) {
        for fault in faults { print("\(deployment.pluginsD)/\(fault)") }
        for fault in libraries { print(fault) }
        let count = faults.count + libraries.count
        guard count == 0, let proved else {
            print("\(count) fault\(count == 1 ? "" : "s")")
            return
        }
        print(
            "\(proved.table.instances.count) instances, \(proved.table.featureNames.count) features: every need is met, nothing is wrong"
        )
    }

    private func printJSON(_ faults: [Fault], _ libraries: [LoadError]) throws {
        struct Report: Encodable {
            var ok: Bool
            var faults: [Fault]
            var libraries: [Library]
            struct Library: Encodable {
                var plugin, code, expected, found, fix: String
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let report = Report(
            ok: faults.isEmpty && libraries.isEmpty, faults: faults,
            libraries: libraries.map {
                .init(plugin: $0.plugin, code: $0.code, expected: $0.expected, found: $0.found, fix: $0.fix)
            })
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
