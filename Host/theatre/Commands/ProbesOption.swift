// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Registry
import Runtime

/// What probes found, as a command is told of it.
struct ProbesOption: ParsableArguments {
    @Option(help: "A file with what probes found last: JSON, [{\"instance\", \"capability\", \"at\", \"failure\"}].")
    var probes: String?

    /// What is in the file; nothing where none is named.
    func read() throws(DeploymentFaults) -> Probes {
        guard let probes else { return Probes() }
        do {
            return try Probes(json: Data(contentsOf: URL(filePath: probes)))
        } catch {
            throw DeploymentFaults([
                Fault(
                    .declarationInvalid, at: Source(file: probes), "The probes' results cannot be read: \(error).",
                    fix: "Correct the file.")
            ])
        }
    }
}
