// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Registry
import Runtime
import TheatreManifest

/// `theatre explain`.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say where a call for a feature would go, and why not elsewhere.",
        discussion: "Without a feature, lists them all.")

    @Argument(help: "A feature, such as studio.outline.")
    var feature: String?

    @Option(help: "Tenant.") var tenant = ""
    @Option(help: "Project.") var project = ""
    @Option(help: "BCP 47 locale.") var locale = ""
    @Option(help: "Region.") var region = ""
    @Option(help: "Currency code.") var currency = ""
    @Option(help: "Amount in minor units.") var amount: Int64?
    @Option(help: "Channel.") var channel = ""
    @Option(help: "The key that a percentage goes by.") var key = ""
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var probed: ProbesOption
    @Option(help: "Folder of a host's state: what came of it when it last brought the instances up is told too.")
    var state: String?
    @OptionGroup var deployment: DeploymentOptions

    func run() throws {
        let proved: CompiledDeployment
        let table: RoutingTable
        do throws(DeploymentFaults) {
            proved = try CompiledDeployment.read(
                folder: deployment.pluginsD, libraries: deployment.libraryFolder, probes: try probed.read())
            table =
                try state.map { state throws(DeploymentFaults) in
                    let found = try SelfTests(state: state).read()
                    for fault in proved.unproved(by: found) where !json { print("\(deployment.pluginsD)/\(fault)") }
                    return proved.table.judged(by: proved.failures(among: found))
                } ?? proved.table
        } catch {
            printError("\(error)")
            throw ExitCode(1)
        }
        guard let feature else {
            try list(table.featureNames.sorted())
            return
        }
        guard let explanation = table.explain(feature, attributes) else {
            let hint = nearestMatch(to: feature, among: table.featureNames).map { "; did you mean \($0)?" } ?? ""
            printError("no plugin of this deployment needs the feature \(feature)\(hint)")
            throw ExitCode(1)
        }
        print(json ? String(decoding: try explanation.json(), as: UTF8.self) : explanation.text)
    }

    private func list(_ names: [String]) throws {
        guard json else { return names.forEach { print($0) } }
        let report: JSONValue = .object(["features": .array(names.map { .string($0) })])
        print(String(decoding: try report.json(), as: UTF8.self))
    }

    private var attributes: RouteAttributes {
        var attributes = RouteAttributes()
        attributes.tenant = tenant
        attributes.project = project
        attributes.locale = locale
        attributes.region = region
        attributes.currency = currency
        attributes.amount = amount
        attributes.channel = channel
        attributes.key = key
        return attributes
    }
}
