// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// A file system of its own, soon full, for what a server writes ahead: `pg_wal`. Blocking.
///
/// It is mounted in a namespace that a process keeps alive, and that the server enters each time it is started. Root
/// needs a mount namespace for it; anybody else a user namespace as well, in which they are somebody who is not root
/// again, as the server wants it.
final class LogDisk: Sendable {
    /// What a command is preceded by, to run where the disk is.
    let entrance: [String]
    private let keeper: pid_t
    /// The folder as this process sees it.
    private let path: String

    /// Whether this machine lets a test mount one.
    static let isAvailable: Bool = {
        let mount = namespaces + ["mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt"]
        return (try? Programs.run(mount).status) == 0
    }()

    private static var namespaces: [String] { geteuid() == 0 ? ["unshare", "-m"] : ["unshare", "-Urm"] }

    /// Moves the log of a server that was made and not started yet.
    init(data: String, megabytes: Int) throws {
        let log = "\(data)/pg_wal"
        let script = """
            set -e
            cp -a '\(log)' '\(log)-before'
            mount -t tmpfs -o size=\(megabytes)m,mode=700 none '\(log)'
            chown --reference='\(data)' '\(log)'
            cp -a '\(log)-before/.' '\(log)/'
            echo mounted > '\(log)-mounted'
            exec sleep infinity
            """
        let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(output) }
        keeper = try Programs.start(
            Self.namespaces + ["setpriv", "--pdeathsig", "KILL", "sh", "-c", script], output: output)
        path = "/proc/\(keeper)/root\(log)"
        let enter = ["nsenter", "--target", String(keeper), "--mount"]
        entrance =
            geteuid() == 0
            ? enter + ["--"]
            : enter + ["--user", "--preserve-credentials", "--", "unshare", "--map-user=1000", "--map-group=1000"]
        for _ in 0..<1500 where access("\(log)-mounted", F_OK) != 0 { usleep(20_000) }
        guard access("\(log)-mounted", F_OK) == 0 else { throw ServerFailure("No disk is mounted at \(log).") }
    }

    deinit {
        kill(keeper, SIGKILL)
        var word: Int32 = 0
        waitpid(keeper, &word, 0)
    }

    /// Takes all the room that is left.
    func fill() throws {
        let file = open("\(path)/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw ServerFailure("Nothing can be written to \(path).") }
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 4096)
        while write(file, block, block.count) > 0 {}
        guard errno == ENOSPC else {
            throw ServerFailure("The disk is not full: \(String(cString: strerror(errno))).")
        }
    }

    /// Gives the room back.
    func free() throws {
        guard unlink("\(path)/filler") == 0 else { throw ServerFailure("\(path)/filler cannot be removed.") }
    }
}

extension PostgreSQLServer {
    /// Whether this machine lets a server have `logMegabytes`.
    public static var canBoundLog: Bool { LogDisk.isAvailable }

    /// From now on there is no room for more of the write-ahead log than is there.
    public func takeRoomFromLog() async throws {
        try await WorkThread.shared.run { try self.logDisk.withLock { $0 }?.fill() }
    }

    /// There is room again. The server has to be ended and started again where it gave up.
    public func giveRoomToLog() async throws {
        try await WorkThread.shared.run { try self.logDisk.withLock { $0 }?.free() }
    }
}
