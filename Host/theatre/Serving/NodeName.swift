// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Services

/// This host's name among those on one database: kept in its state folder and locked for as long as the process lives,
/// so that it is the same after a restart and never that of two processes.
enum NodeName {
    /// Reads or makes the name. Where another process has the folder, or it cannot be written, the name lasts as long as
    /// this process.
    static func worker(state: String) -> WorkerName {
        WorkerName(node: locked(in: state) ?? random(), life: random())
    }

    private static func locked(in state: String) -> String? {
        do {
            try FileManager.default.createDirectory(
                atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            return nil
        }
        // Never closed: the lock goes with the process, also when it is killed.
        let descriptor = open("\(state)/node", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let known = String(decoding: bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        if known.utf8.count == 16, known.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) {
            return known
        }
        let fresh = random()
        let line = Array("\(fresh)\n".utf8)
        guard pwrite(descriptor, line, line.count, 0) == line.count, fsync(descriptor) == 0 else { return nil }
        return fresh
    }

    private static func random() -> String {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
