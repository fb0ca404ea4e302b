// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import PostgreSQLServer

/// The storage plugins through their contract, against the same statements without either.
enum Storing {
    static func onSQLite(_ libraries: String, _ table: inout Table) async throws {
        let folder = try StateFolder("sqlite")
        defer { folder.remove() }
        let world = try StorageWorld(
            libraries: libraries, state: folder.path,
            storage: "plugin: SQLite\ninstance: storage\ncritical: true\ngrants: {state_folder: true}\n")
        _ = try await world.work("fill", [:])
        try await SQLiteRates.run(world, &table)
        try await Pumping.run(world, "SQLite", jobs: 2000, &table)
        world.stop()
    }

    static func onPostgreSQL(_ libraries: String, _ table: inout Table) async throws {
        let folder = try StateFolder("postgresql")
        defer { folder.remove() }
        let server: PostgreSQLServer
        do { server = try await PostgreSQLServer.start(.init(isDurable: true)) } catch {
            print("\(error); no figures for PostgreSQL (apt-get install postgresql-15)")
            return
        }
        let database = try await server.makeDatabase()
        setenv("THEATRE_BENCH_PASSWORD", PostgreSQLServer.password, 1)
        let world = try StorageWorld(
            libraries: libraries, state: folder.path,
            storage: """
                plugin: PostgreSQL
                instance: storage
                critical: true
                grants:
                  connect: ["127.0.0.1:\(server.port)"]
                  secrets: {password: {from: "env:THEATRE_BENCH_PASSWORD"}}
                config: {port: \(server.port), database: \(database), pool_size: 16}
                """)
        _ = try await world.work("fill", [:])
        try await server.sql("VACUUM ANALYZE", in: database)
        try await PostgreSQLRates.run(world, PgBench(server, database: database, state: folder.path), &table)
        try await Pumping.run(world, "PostgreSQL", jobs: 1500, &table)
        world.stop()
        try await server.stop()
    }
}
