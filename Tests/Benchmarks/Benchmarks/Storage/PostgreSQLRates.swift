// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Transactions per second on PostgreSQL: a plugin's and those of `pgbench`, in turn on one server.
enum PostgreSQLRates {
    private static let rounds = 5
    private static let seconds = 3

    static func run(_ world: StorageWorld, _ bench: PgBench, _ table: inout Table) async throws {
        let routes = ["batch", "transact"]
        var bare = Samples()
        var figures = routes.map { _ in Samples() }
        for round in 0...rounds {
            let length = round == 0 ? 1 : seconds
            let a = try bench.run(seconds: length)
            var b: [Double] = []
            for route in routes {
                b.append(try await world.rate(route, tasks: PgBench.clients, milliseconds: length * 1000))
            }
            guard round > 0 else { continue }
            bare.add(a)
            for (index, value) in b.enumerated() { figures[index].add(value) }
        }
        let clients = "\(PgBench.clients) clients"
        table.add(
            Row("PostgreSQL transaction, one commit, \(clients)", unit: "/s", bare: bare, figures[0], target: ">= 0.7x")
            {
                $0 >= 0.7
            })
        table.add(
            Row(
                "PostgreSQL transaction, step by step, \(clients)", unit: "/s", bare: bare, figures[1],
                target: "printed"))
    }
}
