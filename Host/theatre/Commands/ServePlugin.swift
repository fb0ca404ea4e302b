// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import Logging
import Registry
import Remote
import Runtime
import Services
import TheatreManifest
import Trust
import UnixSignals

/// `theatre plugin serve`.
struct ServePlugin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a plugin library over gRPC, to hosts that have instances of it in mode remote.",
        discussion: """
            Hosts are let in by their certificates. SIGTERM lets calls end first. The library is judged before it is loaded
            as a host would judge it, by the same switches as trust in 00-host.yaml. It runs in this process, which
            enforces no grants: what its manifest asks for of files and connections is said, or refused.
            """)

    @Argument(help: "The library, such as .build/release/libLedger.so.")
    var library: String

    @Option(help: "host:port, where 0 is any free port, or unix:/path.")
    var listen: String

    @Option(help: "Authorities that sign the certificates of hosts, in PEM.")
    var ca: String?

    @Option(help: "The server's certificate, in PEM.")
    var certificate: String?

    @Option(help: "The key of the certificate, in PEM, readable by its owner alone.")
    var key: String?

    @Flag(help: "No TLS; on loopback or a unix socket only.")
    var plaintext = false

    @Option(help: "Folder in which instances that ask for one have theirs.")
    var state = ""

    @OptionGroup(title: "Trust") var trust: ServedTrust

    @Option(
        help: "strict: do not serve what asks for grants.files or grants.connect; best: say that they are not enforced."
    )
    var requireGrants = "best"

    @Option(help: "Descriptor that gets one line, the address, once the server listens.")
    var readyFd: Int32?

    @Option(help: "trace, debug, info, notice, warning or error.")
    var logLevel = "notice"

    func run() async throws {
        let server = try makeServer()
        let ready = readyFd
        let signals = await UnixSignalsSequence(trapping: [.sigterm, .sigint])
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await server.run { address in
                        let line = "\(address)\n"
                        guard let ready else { return print("serving at \(address)") }
                        _ = line.withCString { Glibc.write(ready, $0, strlen($0)) }
                        Glibc.close(ready)
                    }
                }
                group.addTask {
                    for await _ in signals { server.stop() }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            printError("\(listen) cannot be served at: \(error)")
            throw ExitCode(1)
        }
        Glibc.fflush(nil)
        // Threads that a library left behind end with the process, without its exit handlers.
        _exit(0)
    }

    private func makeServer() throws -> PluginServer {
        guard let endpoint = endpoint else {
            throw ValidationError("--listen is \"\(listen)\"; host:port or unix:/path is expected")
        }
        var settings = PluginServer.Settings(endpoint: endpoint)
        settings.state = state.isEmpty ? "" : URL(filePath: state).path
        switch (ca, certificate, key) {
        case (let ca?, let certificate?, let key?) where !plaintext:
            settings.tls = .init(authority: ca, certificate: certificate, key: key)
        case (nil, nil, nil) where plaintext: break
        default: throw ValidationError("State --ca, --certificate and --key, or --plaintext alone.")
        }
        let name = library.split(separator: "/").last.map(String.init) ?? library
        guard name.hasPrefix("lib"), name.hasSuffix(".so") else {
            throw ValidationError("\(library) is not the path of a library libNAME.so")
        }
        var logger = Logger(label: "plugin") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .notice
        do {
            let path = library.hasPrefix("/") ? library : FileManager.default.currentDirectoryPath + "/" + library
            let file = try PluginFile(name: String(name.dropFirst(3).dropLast(3)), path: path)
            try trust.judge(file, logger)
            try checkGrants(of: file, logger)
            return try PluginServer(file, settings, logger: logger)
        } catch {
            printError("\(error)")
            throw ExitCode(1)
        }
    }

    /// What only a sandbox could hold the library to.
    private func checkGrants(of file: PluginFile, _ logger: Logger) throws {
        guard ["strict", "best"].contains(requireGrants) else {
            throw ValidationError("--require-grants is \"\(requireGrants)\"; strict or best is expected")
        }
        let asked = file.manifest.grants
        let open = (asked.files == "none" ? [] : ["files"]) + (asked.connect.isEmpty ? [] : ["connect"])
        guard !open.isEmpty else { return }
        let words = "grants of \(open.joined(separator: " and "))"
        if requireGrants == "strict" {
            throw LoadError(
                plugin: file.manifest.name, code: "remote.grants_unenforced",
                expected: "a library that asks for no files or connections, as --require-grants strict wants",
                found: words, fix: "run it isolated at its host, or serve it with --require-grants best in a container")
        }
        logger.notice("grants are not enforced in this process", metadata: ["grants": "\(words)"])
    }

    /// Any free port is written as 0, which no endpoint of a deployment may have.
    private var endpoint: InstanceDeclaration.Place? {
        if listen.hasSuffix(":0"), case .network(let host, _)? = InstanceDeclaration.Place(listen.dropLast() + "1") {
            return .network(host: host, port: 0)
        }
        return InstanceDeclaration.Place(listen)
    }
}
