// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import PostgreSQLServer

/// What is asked of a whole host by HTTP.
enum Serving {
    static func run(program: String, defaults: String, _ table: inout Table) async throws {
        guard access(program, X_OK) == 0, access(Wrk.program, X_OK) == 0 else {
            print("\(program) or wrk is not there; no figures for access (swift build -c release, apt-get install wrk)")
            return
        }
        let sqlite = try StateFolder("access-sqlite")
        defer { sqlite.remove() }
        let server = try BenchServer.start(
            program: program, defaults: defaults, state: sqlite.path,
            storage: "plugin: SQLite\ninstance: storage\ncritical: true\ngrants: {state_folder: true}\n")
        defer { server.stop() }
        try Guarding.run(server, sqlite.path, &table)
        try await Saturating.run(server, sqlite.path, &table)
        try Listing.run(server, sqlite.path, "SQLite", &table)
        try await onPostgreSQL(program: program, defaults: defaults, &table)
    }

    private static func onPostgreSQL(program: String, defaults: String, _ table: inout Table) async throws {
        let postgreSQL: PostgreSQLServer
        do { postgreSQL = try await PostgreSQLServer.start(.init(isDurable: true)) } catch {
            print("\(error); no figures for PostgreSQL (apt-get install postgresql-15)")
            return
        }
        let database = try await postgreSQL.makeDatabase()
        setenv("THEATRE_BENCH_PASSWORD", PostgreSQLServer.password, 1)
        let folder = try StateFolder("access-postgresql")
        defer { folder.remove() }
        let server = try BenchServer.start(
            program: program, defaults: defaults, state: folder.path,
            storage: """
                plugin: PostgreSQL
                instance: storage
                critical: true
                grants:
                  connect: ["127.0.0.1:\(postgreSQL.port)"]
                  secrets: {password: {from: "env:THEATRE_BENCH_PASSWORD"}}
                config: {port: \(postgreSQL.port), database: \(database), pool_size: 16, sslmode: disable}

                """)
        do {
            try Listing.run(server, folder.path, "PostgreSQL", &table)
        } catch {
            server.stop()
            throw error
        }
        server.stop()
        try await postgreSQL.stop()
    }
}
