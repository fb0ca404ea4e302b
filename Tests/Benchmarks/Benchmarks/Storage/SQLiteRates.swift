// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SQLiteBaseline

/// Point reads and small writes on SQLite: a plugin's, and those of prepared statements of the C library on the same
/// file, from as many clients.
enum SQLiteRates {
    private static let rounds = 7
    private static let milliseconds = 1000
    private static let readers = 16
    private static let writers = 64

    static func run(_ world: StorageWorld, _ table: inout Table) async throws {
        let path = "\(world.state)/storage/theatre.db"
        for clients in [1, readers] {
            try await reads(world, path, clients, &table)
        }
        try await writes(world, path, &table)
    }

    private static func reads(_ world: StorageWorld, _ path: String, _ clients: Int, _ table: inout Table) async throws
    {
        var bare = Samples()
        var figures = Samples()
        for round in 0...rounds {
            let a = try checked(
                sqlite_baseline_reads(
                    path, "SELECT amount, name FROM clerk__accounts WHERE tenant = ?1 AND id = ?2",
                    StorageWorld.tenant, Int32(clients), Int32(StorageWorld.rows), Int32(milliseconds)))
            let b = try await world.rate("read", tasks: clients, milliseconds: milliseconds)
            guard round > 0 else { continue }
            bare.add(a)
            figures.add(b)
        }
        let name = "SQLite point read, \(clients) client\(clients == 1 ? "" : "s")"
        guard clients > 1 else { return table.add(Row(name, unit: "/s", bare: bare, figures, target: "printed")) }
        table.add(Row(name, unit: "/s", bare: bare, figures, target: ">= 0.5x") { $0 >= 0.5 })
    }

    private static func writes(_ world: StorageWorld, _ path: String, _ table: inout Table) async throws {
        var bare = Samples()
        var figures = Samples()
        for round in 0...rounds {
            let a = try checked(
                sqlite_baseline_writes(
                    path, "UPDATE clerk__accounts SET amount = amount + 1 WHERE tenant = ?1 AND id = ?2",
                    StorageWorld.tenant, Int32(writers), Int32(StorageWorld.rows), Int32(milliseconds)))
            let b = try await world.rate("write", tasks: writers, milliseconds: milliseconds)
            guard round > 0 else { continue }
            bare.add(a)
            figures.add(b)
        }
        table.add(
            Row("SQLite durable write, \(writers) clients", unit: "/s", bare: bare, figures, target: ">= 3x") {
                $0 >= 3
            })
    }

    private static func checked(_ rate: Double) throws -> Double {
        guard rate > 0 else { throw BenchmarkFailure("the C library failed with \(Int(-rate))") }
        return rate
    }
}
