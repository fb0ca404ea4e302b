// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import TheatreManifest

/// `theatre serve` as a child process on a free port, with a state folder of its own that is removed at the end.
struct ChildServer {
    let url: String
    private let process: pid_t
    private let folder: String

    /// Starts it and waits until it is ready.
    static func start(_ deployment: DeploymentOptions) throws -> ChildServer {
        let folder = try temporaryFolder()
        var pipes: [Int32] = [0, 0]
        guard pipe(&pipes) == 0 else { throw TourFailure("no pipe can be opened") }
        defer { close(pipes[0]) }
        let arguments = [
            Installation.current.program, "serve", "--plugins-d", deployment.pluginsD, "--plugins",
            deployment.libraryFolder,
            "--state", folder + "/state", "--port", "0", "--ready-fd", "3",
        ]
        let process = try spawn(arguments, ready: pipes[1], log: folder + "/log")
        close(pipes[1])
        let line = readLine(from: pipes[0])
        guard let ready = try? JSONValue(json: Data(line.utf8)), let url = ready["url"]?.string else {
            let child = ChildServer(url: "", process: process, folder: folder)
            throw TourFailure("the server did not get ready:\n\(child.stopAndReadLog())")
        }
        return ChildServer(url: url, process: process, folder: folder)
    }

    /// Lets it drain; fails where it does not end well.
    func stop() throws {
        let status = end()
        removeFolder()
        guard status == 0 else { throw TourFailure("the server ended with status \(status) instead of draining") }
    }

    /// Stops it after a failure and returns what it logged.
    func stopAndReadLog() -> String {
        _ = end()
        let log = (try? String(contentsOf: URL(filePath: folder + "/log"), encoding: .utf8)) ?? ""
        removeFolder()
        return String(log.suffix(8000))
    }

    private func end() -> Int32 {
        kill(process, SIGTERM)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    private func removeFolder() {
        do { try FileManager.default.removeItem(atPath: folder) } catch {
            printError("the folder \(folder) could not be removed: \(error)")
        }
    }

    private static func temporaryFolder() throws -> String {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/theatre-tour-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TourFailure("no temporary folder can be made") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The child gets `ready` as descriptor 3 and writes to `log`.
    private static func spawn(_ arguments: [String], ready: Int32, log: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ready, 3)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let strings = arguments.map { strdup($0) }
        defer { strings.forEach { free($0) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, arguments[0], &actions, nil, strings + [nil], environ)
        guard result == 0 else {
            throw TourFailure("\(arguments[0]) cannot be started: \(String(cString: strerror(result)))")
        }
        return process
    }

    private static func readLine(from descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1, byte != 10 { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Writes a line to standard error.
func printError(_ text: String) {
    var line = Array((text + "\n").utf8)
    line.withUnsafeMutableBytes { _ = write(2, $0.baseAddress, $0.count) }
}
