// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The databases that a server's tests were given; those of tests long past are dropped, so that a small disk is enough.
struct TestDatabases {
    /// How many stay. No test has more, and each has some megabytes.
    static let most = 24

    private var made = 0
    private var kept: [String] = []

    /// A name for a new one, and those that nobody will ask for again.
    mutating func add() -> (name: String, past: [String]) {
        made += 1
        kept.append("test_\(made)")
        // Two at a time at most: those that are still in use are looked at again another time.
        let past = Array(kept.prefix(min(2, max(0, kept.count - Self.most))))
        kept.removeFirst(past.count)
        return (kept[kept.count - 1], past)
    }

    /// Has it dropped later: it is still in use.
    mutating func keep(_ name: String) { kept.insert(name, at: max(0, kept.count - 1)) }
}

extension PostgreSQLServer {
    /// A new empty database, owned by ``user``; with `language`, such as `en-US`, its texts are sorted as people there do
    /// where a statement does not say otherwise.
    public func makeDatabase(language: String? = nil) async throws -> String {
        try await WorkThread.shared.run {
            let (name, past) = self.databases.withLock { $0.add() }
            for name in past { try self.drop(name) }
            let sorted = language.map { " LOCALE_PROVIDER icu ICU_LOCALE '\($0)'" }
            try self.create(name, "TEMPLATE \(sorted == nil ? "theatre_template" : "template0")\(sorted ?? "")")
            return name
        }
    }

    /// One that somebody is connected to stays: to drop it would wait for five seconds, and then fail.
    private func drop(_ name: String) throws {
        let isUsed = try psql("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '\(name)'") == "t"
        if isUsed { return databases.withLock { $0.keep(name) } }
        try psql("DROP DATABASE IF EXISTS \(name)")
    }

    /// A file system gives the room of deleted files back when its journal is written, and may say that it is full
    /// until then.
    private func create(_ name: String, _ template: String) throws {
        let command = "CREATE DATABASE \(name) \(template) OWNER \(Self.user)"
        for _ in 0..<3 {
            do {
                try psql(command)
                return
            } catch let failure as ServerFailure where failure.description.contains("No space left on device") {
                sync()
            }
        }
        try psql(command)
    }
}
