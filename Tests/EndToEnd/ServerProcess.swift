// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import TheatreManifest

/// `theatre serve` as a process of its own on a free port.
final class ServerProcess: Sendable {
    /// Where it listens.
    let url: String
    /// The line it wrote to `--ready-fd`.
    let ready: JSONValue
    /// Its files: state, log.
    let folder: TemporaryFolder
    private let child: ChildProcess

    private init(child: ChildProcess, folder: TemporaryFolder, ready: JSONValue, url: String) {
        self.child = child
        self.folder = folder
        self.ready = ready
        self.url = url
    }

    /// Starts it and waits until it is ready.
    ///
    /// - Parameters:
    ///   - deployment: folder with the YAML files.
    ///   - libraries: folder of the plugins; by default the one of this test.
    ///   - folder: what survives; by default a fresh one.
    ///   - wrapper: a program, and its arguments, that becomes the server.
    static func start(
        _ deployment: String, libraries: String? = nil, folder: TemporaryFolder? = nil, arguments: [String] = [],
        wrapper: [String] = [], environment: [String: String] = [:]
    ) async throws -> ServerProcess {
        let folder = try folder ?? TemporaryFolder()
        let readyFile = folder.path("ready-\(UInt32.random(in: 0 ... .max))")
        let child = try ChildProcess(
            ["serve"] + Self.options(deployment, libraries) + [
                "--state", folder.path("state"), "--port", "0", "--ready-fd", "3",
            ] + arguments,
            wrapper: wrapper, output: folder.path("log"), ready: readyFile, environment: environment)
        do {
            let line = try await eventually("the server is ready", seconds: 60) { () -> String? in
                if let status = child.ended { throw Unexpected("the server ended with \(status):\n\(child.output)") }
                let text = try String(contentsOf: URL(filePath: readyFile), encoding: .utf8)
                return text.last == "\n" ? text : nil
            }
            let ready = try JSONValue(json: Data(line.utf8))
            guard let url = ready["url"]?.string else { throw Unexpected("the ready line has no url: \(line)") }
            return ServerProcess(child: child, folder: folder, ready: ready, url: url)
        } catch {
            child.kill(SIGKILL)
            throw Unexpected("\(error)\nlog:\n\(child.output)")
        }
    }

    static func options(_ deployment: String, _ libraries: String?) -> [String] {
        ["--plugins-d", deployment, "--plugins", libraries ?? BuildFolder.path]
    }

    /// What it has printed and logged.
    var output: String { child.output }

    /// The process.
    var pid: Int32 { child.pid }

    /// What the ready line says of an instance.
    func instance(_ name: String) -> JSONValue? {
        ready["instances"]?.array?.first { $0["instance"]?.string == name }
    }

    /// An HTTP client of it.
    var client: Client { Client(url: url) }

    /// Makes it read `plugins.d` again.
    func hangUp() { child.kill(SIGHUP) }

    /// Begins its end.
    func terminate() { child.kill(SIGTERM) }

    /// Ends it at once, as a power cut would end the process.
    func crash() async throws {
        child.kill(SIGKILL)
        _ = try await child.end(seconds: 60)
    }

    /// Lets it drain, and fails unless it ends with status 0.
    func stop() async throws {
        terminate()
        try await awaitEnd()
    }

    /// What `theatre plugins …` says of it, JSON; its text where it is to end with another status than 0.
    func plugins(_ arguments: [String], status: Int32 = 0) async throws -> JSONValue {
        let result = try await theatre(["plugins"] + arguments + ["--json", "--state", folder.path("state")])
        guard result.status == status else {
            throw Unexpected("\(arguments) ended with \(result.status), not \(status):\n\(result.output)\n\(output)")
        }
        return status == 0 ? try JSONValue(json: Data(result.output.utf8)) : .string(result.output)
    }

    /// Fails unless it ends with status 0.
    func awaitEnd() async throws {
        let status = try await child.end(seconds: 90)
        guard status == 0 else { throw Unexpected("the server ended with \(status), not 0:\n\(output)") }
    }
}

/// What a command printed, and its status.
struct CommandResult {
    let status: Int32
    let output: String
}

/// Runs `theatre` to its end.
func theatre(_ arguments: [String], seconds: Int = 60, environment: [String: String] = [:]) async throws
    -> CommandResult
{
    let folder = try TemporaryFolder()
    let child = try ChildProcess(arguments, output: folder.path("log"), ready: nil, environment: environment)
    let status = try await child.end(seconds: seconds)
    return CommandResult(status: status, output: child.output)
}

extension ServerProcess {
    /// Memory that it uses now, in MiB.
    func residentMiB() throws -> Int {
        let status = try String(contentsOf: URL(filePath: "/proc/\(pid)/status"), encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (Int(line?.split(separator: " ").dropFirst().first ?? "") ?? 0) / 1024
    }
}
