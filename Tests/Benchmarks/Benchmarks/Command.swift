// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Programs beside the benchmark.
enum Command {
    /// Runs a program to its end; what it printed.
    static func output(_ arguments: [String]) throws -> String {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw BenchmarkFailure("no pipe") }
        let process = try start(arguments, output: ends[1], inherited: nil)
        close(ends[1])
        let text = read(ends[0])
        close(ends[0])
        var status: Int32 = 0
        waitpid(process, &status, 0)
        guard status == 0 else { throw BenchmarkFailure("\(arguments[0]) ended with \(status): \(text)") }
        return text
    }

    /// Starts a program; its output goes to `output`, and `inherited` is its descriptor 3.
    static func start(_ arguments: [String], output: Int32, inherited: Int32?) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        if let inherited { posix_spawn_file_actions_adddup2(&actions, inherited, 3) }
        // Threads of this process may block signals, and pgbench ends by one.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, arguments[0], &actions, &attributes, words, environ)
        guard failure == 0 else { throw BenchmarkFailure("\(arguments[0]) does not start: error \(failure)") }
        return process
    }

    /// Everything up to the end.
    static func read(_ descriptor: Int32, until end: UInt8? = nil) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
            if let end, bytes.contains(end) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
