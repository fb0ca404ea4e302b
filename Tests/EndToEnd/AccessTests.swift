// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// Who may do what, as the running server declares it and as it answers.
@Suite(.serialized) struct AccessTests {
    private static let rates = """
        rates:
          default: {per_minute: 600000, burst: 100000}
          login: {per_minute: 60000, burst: 10000}
          upload: {per_minute: 60000, burst: 10000}

        """

    /// Every route × everybody: exactly the declared answer.
    @Test func everyRouteAnswersEverybodyAsItDeclares() async throws {
        let host = try defaultFile("00-host.yaml")
        let start = try #require(host.firstRange(of: "rates:")?.lowerBound)
        let end = try #require(host.firstRange(of: "egress:")?.lowerBound)
        let deployment = try defaultDeployment(["00-host.yaml": host[..<start] + Self.rates + host[end...]])
        let signing = P256.Signing.PrivateKey()
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        let clock = TestClock(folder.path("clock"))
        let server = try await ServerProcess.start(
            deployment.root, folder: folder, arguments: ["--test-clock", folder.path("clock")])
        var expectedRows: Set<RefusalRow> = []
        let cast = try await Cast(server, signing)
        try await clock.advance(milliseconds: 61_000)

        let routes = DeclaredRoute.all(of: try await server.client.expect(200, .GET, "/openapi.json"))
        let printed = try await PrintedMatrix(deployment.root)
        #expect(routes.count > 40 && routes.count { $0.isOfProject } >= 12)
        for route in routes {
            for asker in Asker.allCases {
                let project = route.isOfProject && !route.isOfRow ? try await cast.freshProject(clock) : cast.project
                let path = route.filled(project: project, rows: cast.rows)
                let body: JSONValue? = route.method == .GET || route.method == .DELETE ? nil : .object([:])
                let answer = try await cast.client(asker).send(
                    route.method, path, body, headers: [("Idempotency-Key", Account.key())])
                let reason = (try? answer.json)?.value(at: "/details/reason")?.string ?? ""
                let expected = asker.refusal(route)
                #expect(
                    try printed.status(route, asker) == expected?.status,
                    "theatre authz matrix: \(asker.rawValue) on \(route)")
                if let expected {
                    expectedRows.insert(
                        RefusalRow(
                            actor: cast.id(asker), route: "\(route)", resource: route.resource, action: route.action,
                            reason: expected.reason))
                    #expect(
                        answer.status == expected.status && reason == expected.reason,
                        "\(asker.rawValue) on \(route): \(answer.status) \(answer.text)")
                } else {
                    #expect(
                        !["auth.token_missing", "auth.access", "access.denied", "access.archived"].contains(reason)
                            && answer.status < 500 || answer.status == 503,
                        "\(asker.rawValue) on \(route): \(answer.status) \(answer.text)")
                }
            }
        }
        #expect(expectedRows.count > 300)
        try await server.stop()
        let rows = try await refusals(deployment, folder)
        let missing = expectedRows.subtracting(rows).map(\.description).sorted()
        #expect(missing.isEmpty, "\(missing.count) refusals have no row, such as \(missing.prefix(3))")
    }

    /// Every refusal in the audit log of both tenants.
    private func refusals(_ deployment: TemporaryFolder, _ folder: TemporaryFolder) async throws -> Set<RefusalRow> {
        var rows: Set<RefusalRow> = []
        for tenant in ["default", "elsewhere"] {
            var before: Int64 = 0
            repeat {
                let listed = try await theatre(
                    ["audit", "list", "--json", "--outcome", "refused", "--limit", "500", "--tenant", tenant]
                        + ["--before", "\(before)", "--state", folder.path("state")]
                        + ServerProcess.options(deployment.root, nil))
                let page = try JSONValue(json: Data(listed.output.utf8))
                rows.formUnion(RefusalRow.all(of: page))
                before = page.array?.last?["id"]?.integer ?? 0
            } while before > 0
        }
        return rows
    }

    @Test(arguments: StorageEngine.allCases)
    func aRoleCountsFromTheMomentItIsGivenUntilItIsTaken(_ engine: StorageEngine) async throws {
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(deployment.root, environment: environment)
        let owner = try await Account.new(on: server), guest = try await Account.new(on: server)
        let project = try await owner.client.expect(
            201, .POST, "/api/v1/projects", .object(["name": .string("汴京")]), key: Account.key()
        ).text("/id")
        let path = "/api/v1/projects/\(project)", acl = "/api/v1/auth/projects/\(project)/acl/\(guest.id)"
        let denied = try await guest.client.get(path)
        #expect(denied.status == 403)
        let decision = try denied.json.text("/details/decision")
        #expect(decision.hasPrefix("dec_"))
        _ = try await owner.client.expect(
            200, .PUT, acl, .object(["role": .string("VIEWER")]), key: Account.key())
        try await eventually("the viewer is let in") { try await guest.client.get(path).status == 200 ? true : nil }
        #expect(try await guest.client.expect(200, .GET, path)["role"]?.string == "VIEWER")
        let chapter: JSONValue = .object(["title": .string("桥"), "text": .string("清晨。")])
        let writing = try await guest.client.post("\(path)/chapters", chapter, key: Account.key())
        #expect(writing.status == 403)
        _ = try await owner.client.expect(
            200, .PUT, acl, .object(["role": .string("EDITOR")]), key: Account.key())
        try await eventually("the editor may write") {
            try await guest.client.post("\(path)/chapters", chapter, key: Account.key()).status == 201 ? true : nil
        }
        // A body that names another project is no way around the path.
        let other = try await guest.client.expect(
            201, .POST, "/api/v1/projects", .object(["name": .string("own")]), key: Account.key()
        ).text("/id")
        let smuggled = try await guest.client.post(
            "\(path)/chapters",
            .object(["project_id": .string(other), "title": .string("桥"), "text": .string("清晨。")]),
            key: Account.key())
        #expect(smuggled.status == 403 && smuggled.text.contains("access.other_project"), "\(smuggled.text)")
        _ = try await owner.client.expect(200, .DELETE, acl, key: Account.key())
        try await eventually("the guest is out") { try await guest.client.get(path).status == 403 ? true : nil }
        #expect(try await guest.client.expect(200, .GET, "/api/v1/projects")["items"]?.array?.count == 1)
        try await server.stop()
    }

    /// What takes two is asked for, approved by another and done once; the audit says who approved.
    @Test func whatTakesTwoIsDoneOnceSomebodyElseHasApprovedIt() async throws {
        let deployment = try defaultDeployment([:])
        let server = try await ServerProcess.start(deployment.root)
        let owner = try await Account.new(on: server), second = try await Account.new(on: server)
        let project = try await owner.client.expect(
            201, .POST, "/api/v1/projects", .object(["name": .string("汴京")]), key: Account.key()
        ).text("/id")
        let path = "/api/v1/projects/\(project)", own = "/api/v1/auth/projects/\(project)"
        _ = try await owner.client.expect(
            200, .PUT, "\(own)/acl/\(second.id)", .object(["role": .string("OWNER")]), key: Account.key())
        let actions: JSONValue = .object(["actions": .array([.string("project:archive")])])
        let change: JSONValue = .object(["name": .string("元宵")])
        _ = try await owner.client.expect(200, .PUT, "\(own)/four-eyes", actions, key: Account.key())
        let asked = try await eventually("renaming takes two") {
            let answer = try await owner.client.send(
                .PATCH, path, change, headers: [("Idempotency-Key", Account.key())])
            return answer.status == 403 ? answer : nil
        }
        #expect(try asked.json.text("/details/reason") == "access.approval_needed", "\(asked.text)")
        let waiting = try await second.client.expect(200, .GET, "\(own)/approvals")
        let approval = try waiting.text("/items/0/id")
        #expect(asked.text.contains(approval))
        let decision: JSONValue = .object(["approve": .bool(true)])
        let alone = try await owner.client.post("\(own)/approvals/\(approval)", decision, key: Account.key())
        #expect(alone.status == 403 && alone.text.contains("access.own_approval"), "\(alone.text)")
        let key = Account.key()
        func send(_ key: String, _ change: JSONValue) async throws -> Client.Answer {
            try await owner.client.send(
                .PATCH, path, change, headers: [("Idempotency-Key", key), ("Theatre-Approval", approval)])
        }
        #expect(try await send(key, change).text.contains("access.not_approved"))
        _ = try await second.client.expect(
            200, .POST, "\(own)/approvals/\(approval)", decision, key: Account.key())
        let other = try await send(Account.key(), .object(["name": .string("端午")]))
        #expect(other.status == 422 && other.text.contains("access.not_approved"), "\(other.text)")
        let first = try await send(key, change)
        #expect(first.status == 200, "\(first.text)")
        #expect(try await send(key, change).text == first.text, "the same answer for the same key")
        #expect(try await send(Account.key(), change).text.contains("access.not_approved"), "it is spent")
        try await server.stop()
    }
}

/// Everybody who asks, and what they ask for.
private struct Cast {
    let project: String
    /// Rows of the project, by the names of their parameters.
    let rows: [String: String]
    private let owner: Account
    private let clients: [Asker: Client]
    private let ids: [Asker: String]
    private let members: [(id: String, role: String)]
    private let expired: String

    init(_ server: ServerProcess, _ signing: P256.Signing.PrivateKey) async throws {
        owner = try await Account.new(on: server)
        _ = try await owner.buy(1000)
        let run = try await owner.startRun("清晨，赵婆婆挑着担子走过州桥，桥下的船夫正在解缆。")
        project = try run.text("/project_id")
        let base = try await KnowledgeBase.new(of: owner, "樊楼是东京最大的酒楼。", in: project)
        rows = [
            "run_id": try run.text("/id"), "collection_id": base.collection, "import_id": base.importJob,
            "version_id": base.version, "chunk_id": try await base.chunk(owner.client),
        ]
        var clients: [Asker: Client] = [.owner: owner.client, .signedOut: server.client]
        var members: [(id: String, role: String)] = []
        var ids: [Asker: String] = [.owner: owner.id, .signedOut: "", .ofAnotherTenant: owner.id]
        for (asker, role) in [(Asker.admin, "ADMIN"), (.editor, "EDITOR"), (.viewer, "VIEWER")] {
            let person = try await Account.new(on: server)
            clients[asker] = person.client
            ids[asker] = person.id
            members.append((person.id, role))
        }
        let late = try await Account.new(on: server)
        clients[.expired] = late.client
        expired = late.id
        ids[.expired] = late.id
        let stranger = try await Account.new(on: server)
        clients[.ofAnotherProject] = stranger.client
        (ids[.ofAnotherProject], ids[.tenantAdmin]) = (stranger.id, stranger.id)
        var token = try SignedToken(try #require(owner.client.token))
        let sign: (Data) throws -> Data = { try signing.signature(for: $0).rawRepresentation }
        token.claims["tenant"] = .string("elsewhere")
        var elsewhere = server.client
        elsewhere.token = try token.signed(sign)
        clients[.ofAnotherTenant] = elsewhere
        var caretaker = try SignedToken(try #require(clients[.ofAnotherProject]?.token))
        caretaker.claims["roles"] = .array([.string("admin"), .string("user")])
        var admin = server.client
        admin.token = try caretaker.signed(sign)
        clients[.tenantAdmin] = admin
        var program = try SignedToken(try #require(owner.client.token))
        (program.claims["sub"], program.claims["client_id"]) = (.string("svc:matrix"), .string("svc:matrix"))
        (program.claims["roles"], program.claims["scope"]) = (.array([]), .string("*"))
        var service = server.client
        service.token = try program.signed(sign)
        clients[.service] = service
        ids[.service] = "svc:matrix"
        let banned = try await Self.banned(on: server, by: admin)
        ids[.banned] = banned.id
        // Tokens of no session: signing out is one of the routes, and ends nothing of theirs.
        self.clients = try clients.mapValues { client in
            guard let text = client.token else { return client }
            var token = try SignedToken(text)
            token.claims["sid"] = nil
            var lasting = client
            lasting.token = try token.signed(sign)
            return lasting
        }.merging([.banned: banned.client]) { $1 }
        self.ids = ids
        self.members = members
        try await populate(project)
    }

    func client(_ asker: Asker) -> Client { clients[asker] ?? owner.client }

    /// As the audit names him.
    func id(_ asker: Asker) -> String { ids[asker] ?? "" }

    /// Somebody who is shut out, with the token he had.
    private static func banned(on server: ServerProcess, by admin: Client) async throws -> Account {
        let person = try await Account.new(on: server)
        _ = try await admin.expect(
            200, .PUT, "/api/v1/admin/users/\(person.id)/ban", .object(["reason": .string("the matrix")]),
            key: Account.key())
        try await eventually("the ban counts") {
            try await person.client.get("/api/v1/me").status == 401 ? true : nil
        }
        return person
    }

    /// A project that nobody has touched, with everybody in it.
    func freshProject(_ clock: TestClock) async throws -> String {
        let project = try await client(.owner).expect(
            201, .POST, "/api/v1/projects", .object(["name": .string("fresh")]), key: Account.key()
        ).text("/id")
        try await populate(project)
        try await clock.advance(milliseconds: 2500)
        return project
    }

    private func populate(_ project: String) async throws {
        let path = "/api/v1/auth/projects/\(project)/acl"
        var now = ""
        for member in members {
            let granted = try await client(.owner).expect(
                200, .PUT, "\(path)/\(member.id)", .object(["role": .string(member.role)]), key: Account.key())
            now = try granted.text("/granted_at")
        }
        // The host's clock may be ahead of this one by what the test moved it.
        let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let soon = time.format(try time.parse(now).addingTimeInterval(2))
        _ = try await client(.owner).expect(
            200, .PUT, "\(path)/\(expired)",
            .object(["role": .string("ADMIN"), "expires_at": .string(soon)]), key: Account.key())
    }
}
