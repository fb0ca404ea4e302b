// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import Testing
import TheatreManifest

/// Bytes on the wire that are no honest client's: one server for all of them, which must be alive behind each.
@Suite(.serialized) struct WireAttackTests {
    @Test func theServerStandsWhatComesOverTheWire() async throws {
        let attacked = try await AttackedServer(host: "limits: {header_seconds: 2, body_seconds: 2}\n")
        let server = attacked.server
        let person = try await Account.new(on: server)
        try await smuggle(server)
        try await tricksWithPaths(person)
        try await forgedFields(person)
        try await slowClients(person, server)
        let inbox = try await person.client.get("/api/v1/me")
        #expect(inbox.status == 200)
        try await server.stop()
    }

    /// Exactly the answers that are due, then the end; what was hidden was never served.
    private func smuggle(_ server: ServerProcess) async throws {
        let ended = try await withThrowingTaskGroup(of: (SmuggledRequest, RawConnection).self) { group in
            for request in SmuggledRequest.all {
                group.addTask {
                    let connection = try await RawConnection.ask(server.url, request.bytes)
                    do { _ = try await connection.end() } catch { throw Unexpected("\(request): \(error)") }
                    return (request, connection)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for (request, connection) in ended {
            #expect(connection.statuses == request.answers, "\(request): \(connection.text.prefix(600))")
            #expect(Inside.leaks(connection.text) == [], "\(request)")
        }
        let metrics = try await server.client.get("/metrics").text
        #expect(!metrics.contains(#"route="GET \#(SmuggledRequest.hiddenRoute)",status"#))
    }

    /// A path is the one it says, or none.
    private func tricksWithPaths(_ person: Account) async throws {
        let field = "Authorization: Bearer \(person.client.token ?? "")\r\n"
        func ask(_ target: String) async throws -> (status: Int, text: String) {
            let connection = try await RawConnection.ask(
                person.client.url, "GET \(target) HTTP/1.1\r\nHost: t\r\n\(field)Connection: close\r\n\r\n".utf8)
            let text = try await connection.end()
            return (connection.statuses.first ?? 0, text)
        }
        #expect(try await ask("/api/v1/me").status == 200)
        let same = [
            "/api/v1/me/", "//api/v1/me", "/api//v1/me", "/api/v1/./me", "/api/v1/x/../me", "/api/v1/../v1/me",
            "/API/v1/me",
            "/api/v1/ME", "/api/v1/%6de", "/api/v1/me;a=b", "/api/v1;/me", "/api/v1/me%00", "/api/v1/me%2f",
            "/api/v1%2fme",
            "/api%2fv1%2fme", "/%2e/api/v1/me", "/api/v1/%2e%2e/v1/me", "/api/v1/..%2fv1/me",
            "/api/v1/%c0%ae%c0%ae/v1/me",
            "/api/v1/%e0%80%ae/me", "/api/v1/%252e%252e/me", "/api/v1/me%20", "/api/v1/me.json", "/api\\v1\\me",
            "/api/v1/me%",
            "/api/v1/me%zz", "http://t/api/v1/me", "https://evil.example/api/v1/me", "*", "/api/v1/me%3f",
            "/api/v1/me\u{7f}",
        ]
        for target in same {
            let (status, text) = try await ask(target)
            #expect([400, 404].contains(status), "\(target): \(text.prefix(200))")
            #expect(!text.contains(person.email) && Inside.leaks(text) == [], "\(target)")
        }
        for value in ["%00", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%c0%af", "%ff", "%ed%a0%80", "%0d%0aX:%20y", "%252e"]
        {
            for path in ["/api/v1/users/", "/api/v1/blobs/", "/api/v1/orders/", "/api/v1/projects/", "/api/v1/runs/"] {
                let (status, text) = try await ask(path + value)
                #expect([400, 403, 404].contains(status), "\(path)\(value): \(text.prefix(200))")
                #expect(Inside.leaks(text) == [] && !text.contains("root:") && !text.contains("\nX: y"))
            }
        }
    }

    /// Who asks, from where and for what is never read from a field that anybody may write.
    private func forgedFields(_ person: Account) async throws {
        let forged = [
            ("X-User", "usr_admin"), ("X-User-Id", person.id), ("X-Forwarded-User", person.id),
            ("Remote-User", person.id),
            ("X-Authenticated-User", person.id), ("X-Tenant", "elsewhere"), ("X-Roles", "admin"), ("X-Role", "admin"),
            ("X-Original-URL", "/api/v1/admin/clients"), ("X-Rewrite-URL", "/api/v1/admin/clients"),
            ("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "DELETE"), ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/evil"),
            ("X-Real-IP", "127.0.0.1"), ("Forwarded", "for=127.0.0.1;host=evil.example"), ("X-Client-Cert", "admin"),
            ("Theatre-Project", "prj_x"), ("Theatre-Approval", "x"), ("X-Correlation-Id", "a"), ("Via", "evil.example"),
        ]
        var stranger = person.client
        stranger.token = nil
        #expect(try await stranger.get("/api/v1/me", headers: forged).status == 401)
        #expect(try await stranger.get("/api/v1/admin/clients", headers: forged).status == 401)
        for (name, value) in forged {
            let admin = try await person.client.get("/api/v1/admin/clients", headers: [(name, value)])
            #expect(admin.status == 403, "\(name): \(admin.text)")
            let me = try await person.client.get("/api/v1/me", headers: [(name, value)])
            #expect(try me.status == 200 && me.json["id"]?.string == person.id, "\(name): \(me.text)")
            let said = me.text + me.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            #expect(!said.contains("evil.example"), "\(name): \(said)")
        }
        let evil = try await RawConnection.ask(
            person.client.url, "GET /openapi.json HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".utf8)
        #expect(try await !evil.end().contains("evil.example"))
        for value in [
            "Bearer", "bearer  ", "Basic YTpi", "Bearer \(person.client.token ?? "") x", "Token a", "Bearer a,b",
        ] {
            #expect(try await stranger.get("/api/v1/me", headers: [("Authorization", value)]).status == 401, "\(value)")
        }
        #expect(try await stranger.get("/api/v1/me?access_token=\(person.client.token ?? "")").status == 401)
    }

    /// Clients that say a byte now and then are let go, and meanwhile everybody else is served.
    private func slowClients(_ person: Account, _ server: ServerProcess) async throws {
        let begun = [
            "GET /api/v1/me HTTP/1.1\r\nHost: t\r\nX-Slow: ",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        ]
        var slow: [RawConnection] = []
        for index in 0..<240 {
            slow.append(try await RawConnection.ask(person.client.url, begun[index % begun.count].utf8))
        }
        // More of them than there are places for sign-ins.
        _ = try await Account.signIn(on: server, person.email, person.password)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while slow.contains(where: { !$0.isClosed }), clock.now < end {
            for (index, connection) in slow.enumerated() where !connection.isClosed {
                await connection.send(index % 3 == 2 ? "1\r\n \r\n" : "a")
            }
            #expect(try await person.client.get("/healthz").status == 200)
            #expect(try await person.client.get("/api/v1/me").status == 200)
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(slow.count { !$0.isClosed } == 0)
        let told = slow.flatMap(\.statuses)
        #expect(told.allSatisfy { $0 == 408 } && told.count > slow.count / 2, "\(Set(told)) \(told.count)")
    }
}
