// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import Testing
import TheatreManifest

/// The deployment that ships, served by the real process.
@Suite(.serialized) struct DefaultDeploymentTests {
    private func with(
        _ engine: StorageEngine, _ arguments: [String] = [], _ body: (ServerProcess) async throws -> Void
    ) async throws {
        let (deployment, environment) = try await engine.deployment()
        let server = try await ServerProcess.start(
            deployment.root, arguments: arguments, environment: environment)
        try await body(server)
        try await server.stop()
    }

    @Test(arguments: StorageEngine.allCases) func itSaysWhatItServes(_ engine: StorageEngine) async throws {
        try await with(engine) { server in
            for instance in server.ready["instances"]?.array ?? [] {
                let name = instance["instance"]?.string ?? ""
                let state = instance["state"]?.string ?? ""
                #expect(["READY", "DISABLED"].contains(state), "\(name): \(instance["reason"]?.string ?? "")")
                #expect(server.output.contains(name))
            }
            #expect(server.output.contains("ready at \(server.url)"))
            #expect(try await server.client.get("/healthz").status == 200)
            #expect(try await server.client.get("/readyz").status == 200)
            let metrics = try await server.client.get("/metrics").text
            for family in ["theatre_calls_total", "theatre_calls_in_flight", "process_"] {
                #expect(metrics.contains(family), "\(family)")
            }
            #expect(try await server.client.get("/api/v1/nothing").status == 404)
        }
    }

    @Test(arguments: StorageEngine.allCases) func theAPIDescriptionHasEveryRoute(_ engine: StorageEngine) async throws {
        try await with(engine) { server in
            let document = try await server.client.expect(200, .GET, "/openapi.json")
            #expect(document["openapi"]?.string?.hasPrefix("3.1") == true)
            #expect(document.value(at: "/info/title")?.string == "TheatreOS")
            let paths = document["paths"]?.object ?? [:]
            for path in [
                "/api/v1/auth/register", "/api/v1/me", "/api/v1/orders/{order_id}/pay", "/api/v1/runs/{run_id}",
            ] {
                #expect(paths[path] != nil, "\(path)")
            }
            // What the comments in the plugins' libraries say of messages, fields and values.
            for (name, schema) in document.value(at: "/components/schemas")?.object ?? [:] {
                #expect(schema["description"]?.string?.isEmpty == false, "\(name)")
                for (field, property) in schema["properties"]?.object ?? [:] {
                    #expect(property["description"]?.string?.isEmpty == false, "\(name).\(field)")
                }
            }
            let status = document.value(at: "/components/schemas/theatre.orders.v1.OrderStatus/description")?.string
            #expect(status?.contains("- `PAID`: The money is ours.") == true)
            for (path, methods) in paths {
                for (method, operation) in methods.object ?? [:] {
                    #expect(operation["responses"]?.object?.isEmpty == false, "\(method) \(path)")
                    #expect(operation["summary"]?.string?.isEmpty == false, "\(method) \(path)")
                    #expect(operation["description"]?.string?.isEmpty == false, "\(method) \(path)")
                    #expect(operation["security"]?.array != nil, "\(method) \(path)")
                    for reference in operation.references {
                        let pointer = String(reference.dropFirst())
                        #expect(document.value(at: pointer) != nil, "\(method) \(path): \(reference)")
                    }
                }
            }
        }
    }

    @Test(arguments: StorageEngine.allCases) func aPersonRegistersSignsInRefreshesAndLeaves(_ engine: StorageEngine)
        async throws
    {
        try await with(engine) { server in
            #expect(try await server.client.get("/api/v1/me").status == 401)
            let person = try await Account.new(on: server)
            let me = try await person.client.expect(200, .GET, "/api/v1/me")
            #expect(me["id"]?.string == person.id)
            #expect(me["email"]?.string == person.email)
            let again = try await server.client.post(
                "/api/v1/auth/register",
                .object(["email": .string(person.email), "password": .string("another password")]))
            #expect(again.status == 409)
            let wrong = try await server.client.post(
                "/api/v1/auth/login", .object(["email": .string(person.email), "password": .string("not the one")]))
            #expect(wrong.status == 401)
            let refreshed = try await server.client.expect(
                200, .POST, "/api/v1/auth/refresh", .object(["refresh_token": .string(person.refreshToken)]))
            var renewed = person.client
            renewed.token = try refreshed.text("/access_token")
            #expect(try await renewed.get("/api/v1/me").status == 200)
            _ = try await renewed.expect(200, .POST, "/api/v1/auth/logout", .object([:]))
            // Every host learns it by an event.
            let ended = renewed
            try await eventually("the token is refused", seconds: 5) {
                try await ended.get("/api/v1/me").status == 401 ? true : nil
            }
            let spent = try await server.client.post(
                "/api/v1/auth/refresh", .object(["refresh_token": .string(try refreshed.text("/refresh_token"))]))
            #expect(spent.status == 401)
            #expect(!server.output.contains(person.password))
        }
    }

    @Test(arguments: StorageEngine.allCases) func onePersonCannotSeeWhatIsAnothers(_ engine: StorageEngine) async throws
    {
        try await with(engine) { server in
            let first = try await Account.new(on: server)
            let second = try await Account.new(on: server)
            let order = try await first.client.expect(
                201, .POST, "/api/v1/orders", Account.order(10), key: Account.key()
            ).text("/id")
            #expect(try await first.client.get("/api/v1/orders/\(order)").status == 200)
            #expect(try await second.client.get("/api/v1/orders/\(order)").status == 404)
            #expect(try await second.client.post("/api/v1/admin/ledger/verify").status == 403)
        }
    }

    @Test(arguments: StorageEngine.allCases) func theSameKeyIsAnsweredOnceAndAnotherBodyIsRefused(
        _ engine: StorageEngine
    ) async throws {
        try await with(engine) { server in
            let person = try await Account.new(on: server)
            let key = Account.key()
            let first = try await person.client.post("/api/v1/orders", Account.order(10), key: key)
            let second = try await person.client.post("/api/v1/orders", Account.order(10), key: key)
            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(second.body == first.body)
            let other = try await person.client.post("/api/v1/orders", Account.order(11), key: key)
            #expect(other.status == 409)
            let fresh = try await person.client.post("/api/v1/orders", Account.order(10), key: Account.key())
            #expect(try fresh.json["id"] != first.json["id"])
        }
    }

    @Test(arguments: StorageEngine.allCases) func aRequestThatBreaksItsFieldsIsRefusedWithThePlace(
        _ engine: StorageEngine
    ) async throws {
        try await with(engine) { server in
            let person = try await Account.new(on: server)
            let answer = try await person.client.post(
                "/api/v1/orders", .object(["chips": .string("many"), "currency": .string("CNY")]), key: Account.key())
            #expect(answer.status == 400)
            #expect(try answer.json.value(at: "/details/pointer")?.string == "/chips")
        }
    }

    @Test(arguments: StorageEngine.allCases) func theTourIsAsItShouldBeAndEveryChangeCommitsItsAnswer(
        _ engine: StorageEngine
    ) async throws {
        try await with(engine, ["--verify-answers"]) { server in
            let tour = try await theatre(["tour", "--server", server.url, "--json"], seconds: 180)
            #expect(tour.status == 0, "\(tour.output)\n\(server.output)")
            #expect(!server.output.contains("GW-ANSWER"))
        }
    }

    @Test func theTourServesForItself() async throws {
        let tour = try await theatre(
            ["tour", "--serve"] + ServerProcess.options(Sources.defaultDeployment, nil), seconds: 180)
        #expect(tour.status == 0, "\(tour.output)")
        #expect(tour.output.contains("All as it should be."))
    }

    @Test func theTourDraftsAChapterOfOnesOwn() async throws {
        let folder = try TemporaryFolder(["chapter.md": Self.chapter])
        let arguments = ["tour", "--serve", "--chapter", "\(folder.root)/chapter.md"]
        let tour = try await theatre(
            arguments + ServerProcess.options(Sources.defaultDeployment, nil), seconds: 180)
        #expect(tour.status == 0, "\(tour.output)")
        #expect(tour.output.contains("The Lamp at the Ferry"), "\(tour.output)")
    }

    @Test(arguments: ["", "absent.md"]) func aChapterThatCannotBeDraftedIsSaidPlainly(_ name: String) async throws {
        let folder = try TemporaryFolder(["empty.md": ""])
        let file = "\(folder.root)/\(name.isEmpty ? "empty.md" : name)"
        let tour = try await theatre(["tour", "--server", "http://127.0.0.1:1", "--chapter", file])
        #expect(tour.status != 0)
        #expect(tour.output.contains(file), "\(tour.output)")
    }

    /// A chapter in English, with a title, people and three scenes.
    private static let chapter = """
        # The Lamp at the Ferry

        Mara Venn carried the lamp down to the ferry before the bells. The river was high, and old Tobias Reed would
        not cross it. "Wait until morning," he said. Mara Venn set the lamp on the rail and waited.

        At midnight a stranger came along the quay with a sealed letter for the magistrate. Tobias Reed knew the seal.
        He took the pole without a word, and the three of them went out upon the black water.

        In the morning the lamp stood on the far bank, burning, and the ferry was gone. The magistrate read the letter
        twice. Then he sent for Mara Venn.

        """

    @Test func aTourOfNothingFails() async throws {
        let tour = try await theatre(["tour", "--server", "http://127.0.0.1:1"])
        #expect(tour.status == 1)
    }

    @Test func aPortThatIsTakenIsSaidPlainly() async throws {
        try await with(.sqlite) { server in
            let state = try TemporaryFolder()
            let port = server.url.split(separator: ":").last.map(String.init) ?? ""
            let second = try await theatre(
                ["serve", "--state", state.root, "--port", port]
                    + ServerProcess.options(Sources.defaultDeployment, nil))
            #expect(second.status == 1)
            #expect(second.output.contains("127.0.0.1:\(port) cannot be listened on"), "\(second.output)")
            #expect(second.output.contains("choose another with --port"))
            #expect(try await server.client.get("/readyz").status == 200)
        }
    }
}

extension JSONValue {
    /// Every `$ref` in it.
    var references: [String] {
        switch self {
        case .object(let members):
            members.flatMap { key, value in
                key == "$ref" ? value.string.map { [$0] } ?? [] : value.references
            }
        case .array(let elements): elements.flatMap(\.references)
        default: []
        }
    }
}
