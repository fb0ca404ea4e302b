// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// Folders of servers, removed when the process ends, or by the next one where it was killed.
enum ServerFolder {
    private static let start = "theatre-postgresql-"
    private static let made = Mutex<[String]>([])
    private static let servers = Mutex<Set<pid_t>>([])

    /// Where nothing outlives the machine, and no disk is needed.
    private static let memory = "/dev/shm"
    /// What has to be free there; a server of tests takes a quarter of it.
    private static let least = UInt(2) << 30

    /// A new folder that everybody may pass through: the server runs as somebody else.
    ///
    /// - Parameter isDurable: on a disk; otherwise in memory, where there is room.
    static func make(isDurable: Bool = true) throws -> String {
        let parent = isDurable || !hasMemory ? FileManager.default.temporaryDirectory.path : memory
        removeAbandoned(in: parent)
        let path = "\(parent)/\(start)\(getpid())-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, 0o755)
        let isFirst = made.withLock { folders in
            folders.append(path)
            return folders.count == 1
        }
        if isFirst { atexit { ServerFolder.end() } }
        return path
    }

    private static var hasMemory: Bool {
        var found = statvfs()
        return access(memory, W_OK) == 0 && statvfs(memory, &found) == 0 && found.f_bavail * found.f_frsize >= least
    }

    /// A server that runs; with false it has been waited for, and its number may be another's by now.
    static func note(_ server: pid_t, isRunning: Bool) {
        servers.withLock { servers in
            if isRunning { servers.insert(server) } else { servers.remove(server) }
        }
    }

    /// Every server of this process that still runs ends at once, and all folders go.
    private static func end() {
        for server in servers.withLock({ $0 }) {
            kill(server, SIGQUIT)
            var word: Int32 = 0
            waitpid(server, &word, 0)
        }
        for folder in made.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: folder) }
    }

    private static func removeAbandoned(in parent: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(start) {
            let owner = name.dropFirst(start.count).prefix { $0 != "-" }
            guard let owner = pid_t(owner), kill(owner, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(atPath: "\(parent)/\(name)")
        }
    }
}
