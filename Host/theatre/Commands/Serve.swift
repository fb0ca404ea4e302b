// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Runtime
import Trust

/// `theatre serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a deployment until SIGTERM; SIGHUP reads plugins.d again.")

    @OptionGroup var deployment: DeploymentOptions

    @Option(help: "Folder for everything that survives. Overrides 00-host.yaml.")
    var state: String?

    @Option(help: "Address to listen on. Overrides 00-host.yaml.")
    var host: String?

    @Option(help: "Port to listen on, 0 for any free one. Overrides 00-host.yaml.")
    var port: Int?

    @Option(help: "Descriptor that gets one JSON line once the server is ready.")
    var readyFd: Int32?

    @Option(help: "Unix socket on which a test moves the host's clock. Development only.")
    var testClock: String?

    @Option(help: "trace, debug, info, notice, warning or error. Overrides 00-host.yaml.")
    var logLevel: String?

    @Flag(help: .hidden)
    var verifyAnswers = false

    func run() async throws {
        let deployment: CompiledDeployment
        do throws(DeploymentFaults) {
            deployment = try CompiledDeployment.read(
                folder: self.deployment.pluginsD, libraries: self.deployment.libraryFolder)
        } catch {
            let note = self.deployment.note(on: error.faults).map { "\n\($0)" } ?? ""
            printError("\(error)\(note)\nnothing was started; `theatre check` shows the same")
            throw ExitCode(1)
        }
        let settings = try settings(deployment.host)
        do {
            try await HostServer(deployment, settings).run()
        } catch let error as LoadError {
            printError("\(error)\nthe instance is critical: the host does not start without it")
            throw ExitCode(1)
        } catch let error as TrustFailure {
            printError("\(error)")
            throw ExitCode(1)
        } catch let error as ServeFailure {
            printError("\(error)")
            throw ExitCode(1)
        } catch let error as DeploymentFaults {
            printError("\(error)\nnothing was started; `theatre check` shows the same")
            throw ExitCode(1)
        }
    }

    private func settings(_ configuration: HostConfiguration) throws -> HostServer.Settings {
        if testClock != nil, !configuration.isDevelopment {
            throw ValidationError(
                "--test-clock is refused outside development; set `development: true` in 00-host.yaml")
        }
        var host = configuration
        if let address = self.host { host.host = address }
        if let port { host.port = port }
        if let state { host.state = state }
        if let logLevel { host.log.level = logLevel }
        return HostServer.Settings(
            host: host, folder: deployment.pluginsD, libraries: deployment.libraryFolder, readyDescriptor: readyFd,
            testClock: testClock, verifiesAnswers: verifyAnswers)
    }
}

/// Why the server cannot serve, in words for the person who started it.
struct ServeFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
