// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CValidator
internal import FoundationEssentials
internal import Glibc
internal import TheatreManifest

/// A check in a process of its own: what it says on descriptor 3, and how it ends.
struct ChildProcess {
    let program: String
    let arguments: [String]
    /// Where its standard output and error go.
    let outputPath: String
    let limitSeconds: Int

    /// How a child ended.
    struct Ending: Sendable {
        enum Cause: Sendable {
            case exit(Int32)
            case signal(Int32)
            case timeout(Int)
        }
        var cause = Cause.exit(0)
        var result: JSONValue?
        var place = ""
        var output = ""
        var milliseconds = 0
    }

    struct SpawnFailure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs it to its end; blocks the caller's thread.
    func run() throws -> Ending {
        var pipes: [Int32] = [0, 0]
        guard validator_pipe(&pipes) == 0 else { throw SpawnFailure(description: "no pipe can be opened") }
        defer { close(pipes[0]) }
        let began = Self.milliseconds
        let process: pid_t
        do {
            process = try spawn(pipes[1])
            close(pipes[1])
        } catch {
            close(pipes[1])
            throw error
        }
        var ending = Ending()
        let isLate = !listen(pipes[0], until: began + limitSeconds * 1000, &ending)
        // What it said last stands, whatever its threads still do.
        kill(-process, SIGKILL)
        ending.cause = Self.wait(process, isLate: isLate, limitSeconds)
        ending.milliseconds = Self.milliseconds - began
        let output = (try? Data(contentsOf: URL(filePath: outputPath))) ?? Data()
        ending.output = String(decoding: output.prefix(2000), as: UTF8.self)
        return ending
    }

    private func spawn(_ result: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, result, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let strings = ([program] + arguments).map { strdup($0) }
        let variables = Self.environment().map { strdup($0) }
        defer { (strings + variables).forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, program, &actions, &attributes, strings + [nil], variables + [nil])
        guard code == 0 else {
            throw SpawnFailure(description: "\(program) cannot be started: \(String(cString: strerror(code)))")
        }
        return process
    }

    /// As this process has it, without the stack that Swift would print after a crash, which takes seconds.
    private static func environment() -> [String] {
        var found = ["SWIFT_BACKTRACE=enable=no"]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !text.hasPrefix("SWIFT_BACKTRACE=") { found.append(text) }
            next += 1
        }
        return found
    }

    /// Reads lines until the result, the end, or the time; false where the time came first.
    private func listen(_ descriptor: Int32, until: Int, _ ending: inout Ending) -> Bool {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = until - Self.milliseconds
            guard left > 0 else { return false }
            let ready = poll(&entry, 1, Int32(min(left, 1_000_000)))
            guard ready > 0 else { continue }
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return true }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: 10) {
                let line = Data(pending[..<end])
                pending.removeSubrange(...end)
                guard let value = try? JSONValue(json: line) else { continue }
                if let place = value["at"]?.string { ending.place = place }
                if let result = value["result"] {
                    ending.result = result
                    return true
                }
            }
        }
    }

    private static func wait(_ process: pid_t, isLate: Bool, _ seconds: Int) -> Ending.Cause {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        if isLate { return .timeout(seconds) }
        let signal = status & 0x7F
        return signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
    }

    static var milliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
