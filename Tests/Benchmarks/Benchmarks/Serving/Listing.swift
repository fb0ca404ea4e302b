// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Pages of the projects that one belongs to, among 100,000.
enum Listing {
    private static let projects = 100_000
    private static let rounds = 3

    static func run(_ server: BenchServer, _ folder: String, _ engine: String, _ table: inout Table) throws {
        let token = "wrk.headers[\"authorization\"] = \"Bearer \(server.token)\"\n"
        let filling = try Wrk(
            folder, "fill",
            token + """
                wrk.method = "POST"
                wrk.headers["content-type"] = "application/json"
                local count, run = 0, ""
                function init(arguments) run = arguments[1] end
                function request()
                  count = count + 1
                  wrk.headers["idempotency-key"] = "fill-" .. run .. "-" .. count
                  return wrk.format(nil, nil, nil, '{"name":"project ' .. run .. ' ' .. count .. '"}')
                end

                """)
        var filled = 0, run = 0
        while filled < projects {
            run += 1
            filled += try filling.run(
                port: server.port, path: "/api/v1/projects", connections: 64, seconds: 5, ["\(run)"]
            ).requests
        }
        // Each page leads to the next, and the last to the first.
        let paging = try Wrk(
            folder, "page",
            token + """
                local base = "/api/v1/projects?limit=50"
                local path = base
                function request() return wrk.format("GET", path) end
                function response(status, headers, body)
                  local cursor = body:match('"next_cursor":"([^"]+)"')
                  path = cursor and (base .. "&cursor=" .. cursor) or base
                end

                """)
        var alone = Samples(), many = Samples()
        for _ in 0..<rounds {
            alone.add(try paging.run(port: server.port, path: "/", connections: 1, seconds: 3).p95)
            many.add(try paging.run(port: server.port, path: "/", connections: 8, seconds: 3).p95)
        }
        table.add(
            Row("page of 50 of \(projects) projects, \(engine), p95", unit: "ms", alone, target: "< 50") { $0 < 50 })
        table.add(Row("the same, 8 at once", unit: "ms", many, target: "< 50") { $0 < 50 })
    }
}
