// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The same plugin on two routes of one host: authenticated, authorized, limited and audited, and none of it.
enum Guarding {
    private static let rounds = 6

    static func run(_ server: BenchServer, _ folder: String, _ table: inout Table) throws {
        let body = #"wrk.method = "POST"; wrk.body = '{"name":"a thing","count":3,"note":"some sixty bytes of it"}'"#
        let fields = """
            \(body)
            wrk.headers["content-type"] = "application/json"
            wrk.headers["accept"] = "application/json"

            """
        let open = try Wrk(folder, "open", fields)
        let token = "wrk.headers[\"authorization\"] = \"Bearer \(server.token)\"\n"
        let guarded = try Wrk(folder, "guarded", fields + token)
        func rate(_ load: Wrk, _ route: String, _ seconds: Int = 2) throws -> Double {
            try load.run(port: server.port, path: "/\(route)/\(server.project)", connections: 64, seconds: seconds)
                .perSecond
        }
        _ = try (rate(open, "open", 1), rate(guarded, "guarded", 1))
        var bare = Samples(), figures = Samples()
        for _ in 0..<rounds {
            bare.add(try rate(open, "open"))
            figures.add(try rate(guarded, "guarded"))
        }
        table.add(
            Row("read: signed in, of a project, limited, audited", unit: "rps", bare: bare, figures, target: ">= 0.7x")
            {
                $0 >= 0.7
            })
    }
}
