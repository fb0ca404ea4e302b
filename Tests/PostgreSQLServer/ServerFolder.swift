// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// Folders of servers, removed when the process ends, or by the next one where it was killed.
enum ServerFolder {
    private static let start = "theatre-postgresql-"
    private static let made = Mutex<[String]>([])

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

    /// Every server of this process ends at once and its folder goes.
    private static func end() {
        for folder in made.withLock({ $0 }) {
            for data in ["data", "standby"] {
                guard let pid = pid("\(folder)/\(data)") else { continue }
                kill(pid, SIGQUIT)
                var word: Int32 = 0
                waitpid(pid, &word, 0)
            }
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    /// The process that a data folder names as its server.
    static func pid(_ data: String) -> pid_t? {
        guard let text = try? String(contentsOf: URL(filePath: "\(data)/postmaster.pid"), encoding: .utf8) else {
            return nil
        }
        return text.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    private static func removeAbandoned(in parent: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(start) {
            let owner = name.dropFirst(start.count).prefix { $0 != "-" }
            guard let owner = pid_t(owner), kill(owner, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(atPath: "\(parent)/\(name)")
        }
    }
}
