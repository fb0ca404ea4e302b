// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// The programs of PostgreSQL, and how they run as somebody who is not root. Blocking.
enum Programs {
    /// The folder of the newest server that is installed.
    static func folder() throws -> String {
        let roots = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: roots)) ?? []
        let newest = versions.compactMap { Int($0) }.sorted(by: >).map { "\(roots)/\($0)/bin" }
        if let found = newest.first(where: { access("\($0)/postgres", X_OK) == 0 }) { return found }
        let told = try? run(["pg_config", "--bindir"]).output.trimmed
        if let told, access("\(told)/postgres", X_OK) == 0 { return told }
        throw ServerFailure("There is no PostgreSQL server; install postgresql-15.")
    }

    /// PostgreSQL refuses root, so root becomes `postgres`, which its package makes.
    static func dropped(_ arguments: [String], endsWithParent: Bool = false) -> [String] {
        var words = ["setpriv"]
        if endsWithParent { words += ["--pdeathsig", "QUIT"] }
        if geteuid() == 0 { words += ["--reuid=postgres", "--regid=postgres", "--init-groups"] }
        return words.count == 1 ? arguments : words + arguments
    }

    /// Gives a folder to who runs the server.
    static func handOver(_ path: String) throws {
        guard geteuid() == 0 else { return }
        guard let user = getpwnam("postgres") else { throw ServerFailure("There is no user postgres.") }
        chown(path, user.pointee.pw_uid, user.pointee.pw_gid)
    }

    /// Runs a program to its end; what it printed and its exit status.
    static func run(_ arguments: [String], _ variables: [String: String] = [:]) throws -> (
        output: String, status: Int32
    ) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ServerFailure("no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let process = try start(arguments, variables, output: ends[1])
        close(ends[1])
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        close(ends[0])
        var word: Int32 = 0
        while waitpid(process, &word, 0) < 0, errno == EINTR {}
        return (String(decoding: bytes, as: UTF8.self), word & 0x7F == 0 ? (word >> 8) & 0xFF : 128 + (word & 0x7F))
    }

    /// As ``run(_:_:)``, where every status but 0 is a failure.
    @discardableResult
    static func succeed(_ arguments: [String], _ variables: [String: String] = [:]) throws -> String {
        let (output, status) = try run(arguments, variables)
        guard status == 0 else {
            throw ServerFailure("\(arguments.joined(separator: " ")) ended with \(status):\n\(output)")
        }
        return output.trimmed
    }

    /// Starts a program that takes every signal, whatever this thread does; its output goes to `output`.
    static func start(_ arguments: [String], _ variables: [String: String] = [:], output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of a pool have theirs blocked, and a program that inherits that outlives the one it is to end with.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var environment = ProcessInfo.processInfo.environment
        environment["LC_ALL"] = "C.UTF-8"
        environment.merge(variables) { $1 }
        let words = arguments.map { strdup($0) }
        let settings = environment.map { strdup("\($0)=\($1)") }
        defer { (words + settings).forEach { free($0) } }
        var process: pid_t = 0
        let failure = posix_spawnp(&process, arguments[0], &actions, &attributes, words + [nil], settings + [nil])
        guard failure == 0 else {
            throw ServerFailure("\(arguments[0]) does not start: \(String(cString: strerror(failure)))")
        }
        return process
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
