// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import PostgreSQLServer

/// `pgbench -M prepared` with the statements that the clerk runs too, on the clerk's own tables.
struct PgBench {
    static let clients = 16
    private let program: String
    private let script: String
    private let port: Int
    private let database: String

    init(_ server: PostgreSQLServer, database: String, state: String) throws {
        program = server.program("pgbench")
        guard access(program, X_OK) == 0 else { throw BenchmarkFailure("\(program) is not there") }
        port = server.port
        self.database = database
        script = "\(state)/transfer.sql"
        let tenant = StorageWorld.tenant
        let text = """
            \\set id random(0, \(StorageWorld.rows - 1))
            \\set delta random(-5000, 4999)
            BEGIN;
            UPDATE theatre_clerk.clerk__accounts SET amount = amount + :delta WHERE tenant = '\(tenant)' AND id = :id;
            SELECT amount FROM theatre_clerk.clerk__accounts WHERE tenant = '\(tenant)' AND id = :id;
            INSERT INTO theatre_clerk.clerk__history (tenant, account, delta, at) VALUES ('\(tenant)', :id, :delta, 0);
            END;

            """
        try Data(text.utf8).write(to: URL(filePath: script))
        setenv("PGPASSWORD", PostgreSQLServer.password, 1)
    }

    /// Transactions per second.
    func run(seconds: Int) throws -> Double {
        let output = try Command.output([
            program, "-n", "-M", "prepared", "-c", "\(Self.clients)", "-T", "\(seconds)", "-f", script, "-h",
            "127.0.0.1", "-p", "\(port)", "-U", PostgreSQLServer.user, database,
        ])
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let value = line.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) })
        else { throw BenchmarkFailure("pgbench said: \(output)") }
        return value
    }
}
