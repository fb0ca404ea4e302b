// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// A program, mostly the one under test, running. Killed where nobody ended it.
final class ChildProcess: Sendable {
    let pid: Int32
    private let outputPath: String
    private let status = Mutex<Int32?>(nil)

    /// Starts `theatre` with its output in a file, and a file as descriptor 3 where one is named.
    ///
    /// - Parameter wrapper: a program, and its arguments, that becomes `theatre`.
    convenience init(
        _ arguments: [String], wrapper: [String] = [], output: String, ready: String?, environment: [String: String]
    ) throws {
        try self.init(
            command: wrapper + ["\(BuildFolder.path)/theatre"] + arguments, output: output, ready: ready,
            environment: environment)
    }

    /// Starts any program, found as a shell finds it.
    init(command: [String], output: String, ready: String? = nil, environment: [String: String] = [:]) throws {
        let program = command[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        if let ready {
            posix_spawn_file_actions_addopen(&actions, 3, ready, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            FileManager.default.createFile(atPath: ready, contents: nil)
        }
        // Nothing of this process outlives it in a child that was left behind: no lock, no pipe.
        for descriptor in Int32(ready == nil ? 3 : 4)..<256 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        let strings = command.map { strdup($0) }
        let inherited = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let variables = inherited.map { strdup("\($0)=\($1)") }
        defer { (strings + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawnp(&pid, program, &actions, nil, strings + [nil], variables + [nil])
        guard failure == 0 else {
            throw Unexpected("\(program) cannot be started: \(String(cString: strerror(failure)))")
        }
        self.pid = pid
        outputPath = output
    }

    /// What it has written so far.
    var output: String {
        (try? String(contentsOf: URL(filePath: outputPath), encoding: .utf8)) ?? "(no output)"
    }

    /// Its status where it has ended: the exit status, or 128 and the signal.
    var ended: Int32? {
        status.withLock { status in
            if let status { return status }
            var word: Int32 = 0
            guard waitpid(pid, &word, WNOHANG) == pid else { return nil }
            status = word & 0x7F == 0 ? (word >> 8) & 0xFF : 128 + (word & 0x7F)
            return status
        }
    }

    /// Sends a signal, unless it has ended.
    func kill(_ signal: Int32) {
        guard ended == nil else { return }
        _ = Glibc.kill(pid, signal)
    }

    /// Waits for its end.
    func end(seconds: Int) async throws -> Int32 {
        do {
            return try await eventually("the process ends", seconds: seconds) { self.ended }
        } catch {
            kill(SIGKILL)
            throw Unexpected("\(error)\n\(output)")
        }
    }

    deinit {
        guard ended == nil else { return }
        _ = Glibc.kill(pid, SIGKILL)
        var word: Int32 = 0
        waitpid(pid, &word, 0)
    }
}
