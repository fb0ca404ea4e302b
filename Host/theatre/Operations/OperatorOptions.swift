// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Runtime

/// What every command has that works on a deployment's storage.
struct OperatorOptions: ParsableArguments {
    @OptionGroup var deployment: DeploymentOptions

    @Option(help: "Folder for everything that survives. Overrides 00-host.yaml.")
    var state: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// Runs `body` with the deployment's storage; a failure is one line and status 1.
    ///
    /// - Parameters:
    ///   - reaching: what a storage in a sandbox is to touch for it.
    ///   - opensSecrets: the key source is started too.
    func run(reaching: [SandboxPlan.File] = [], opensSecrets: Bool = false, _ body: (OperatorRuntime) throws -> Void)
        throws
    {
        do {
            try OperatorRuntime.run(deployment, state: state, reaching: reaching, opensSecrets: opensSecrets, body)
        } catch let error as ServeFailure {
            printError("\(error)")
            throw ExitCode(1)
        }
    }
}
