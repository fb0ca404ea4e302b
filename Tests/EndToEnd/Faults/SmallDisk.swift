// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// A file system of its own that is soon full, at a folder that only the processes started inside see it at.
///
/// It needs no privilege: a process in a user and a mount namespace of its own may mount one in memory, and keeps it
/// alive. Others enter its namespaces, so a host may be killed there and started again on what it left.
final class SmallDisk: Sendable {
    /// What a command is preceded by, to run where the disk is.
    let entrance: [String]
    private let keeper: ChildProcess
    /// The folder as this process sees it.
    private let path: String
    /// As those inside see it.
    private let mountPoint: String
    private let folder: TemporaryFolder

    /// Whether this machine lets somebody mount in namespaces of their own.
    static let isAvailable: Bool = {
        do {
            let folder = try TemporaryFolder()
            let mount = "mount -t tmpfs -o size=1m none '\(folder.root)'"
            let child = try ChildProcess(
                command: ["unshare", "-Urm", "sh", "-c", mount], output: "/dev/null")
            for _ in 0..<500 {
                if let status = child.ended { return status == 0 }
                usleep(10_000)
            }
            return false
        } catch {
            return false
        }
    }()

    /// Mounts one of `megabytes` at a folder that exists.
    init(at mountPoint: String, megabytes: Int) async throws {
        folder = try TemporaryFolder()
        let output = folder.path("keeper")
        let mount = "mount -t tmpfs -o size=\(megabytes)m none '\(mountPoint)' && echo mounted && exec sleep 900"
        let keeper = try ChildProcess(command: ["unshare", "-Urm", "sh", "-c", mount], output: output)
        try await eventually("the disk is mounted") {
            if let status = keeper.ended { throw Unexpected("no disk, status \(status): \(keeper.output)") }
            return keeper.output.hasPrefix("mounted") ? true : nil
        }
        self.keeper = keeper
        self.mountPoint = mountPoint
        path = "/proc/\(keeper.pid)/root\(mountPoint)"
        entrance = [
            "nsenter", "--target", String(keeper.pid), "--user", "--mount", "--preserve-credentials", "--",
        ]
    }

    deinit { keeper.kill(SIGKILL) }

    /// Takes all the room that is left.
    func fill() throws {
        let file = open("\(path)/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Unexpected("nothing can be written to \(path)") }
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 4096)
        while write(file, block, block.count) > 0 {}
        guard errno == ENOSPC else { throw Unexpected("the disk is not full: \(String(cString: strerror(errno)))") }
    }

    /// Lets nothing be written to it any more, or again; no file of it may be open for writing.
    func remount(isReadOnly: Bool) async throws {
        let output = folder.path("mount-\(UInt32.random(in: 0 ... .max))")
        let command = entrance + ["mount", "-o", isReadOnly ? "remount,ro" : "remount,rw", mountPoint]
        let mount = try ChildProcess(command: command, output: output)
        guard try await mount.end(seconds: 60) == 0 else { throw Unexpected("not remounted: \(mount.output)") }
    }

    /// Gives the room back.
    func free() throws { try FileManager.default.removeItem(atPath: "\(path)/filler") }
}
