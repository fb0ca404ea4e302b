// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1
import OpenAPIFaults
import Testing
import TheatreContracts
import TheatreManifest
import Transcoding

/// `GET /openapi.json` of the deployment that ships, held against every route of every manifest.
@Suite(.serialized) struct APIDescriptionTests {
    /// A route of the deployment, with the messages of its contracts.
    private struct Declared {
        let instance: String
        let route: Manifest.Route
        let catalog: ContractCatalog

        var place: String { "\(route.method) \(route.path)" }
        var parameters: [String] {
            route.path.matches(of: #/\{([a-z_]+)\}/#).map { String($0.1) }
        }
        var takesBody: Bool { route.method != "GET" && route.method != "DELETE" }
        /// What a client states beside the path.
        var fields: [FieldDescription] {
            (catalog.message(route.request)?.fields ?? []).filter { !parameters.contains($0.name) }
        }
    }

    /// Where the sources of a plugin are.
    private static func folder(of plugin: String) throws -> String {
        let files = FileManager.default
        let groups = try files.contentsOfDirectory(atPath: "\(Sources.root)/Plugins")
        let folders = groups.map { "\(Sources.root)/Plugins/\($0)/\(plugin)" }
        return try #require(folders.first { files.fileExists(atPath: "\($0)/plugin.json") }, "\(plugin)")
    }

    private static func declared(by server: ServerProcess) throws -> [Declared] {
        try (server.ready["instances"]?.array ?? []).filter { $0["state"]?.string == "READY" }.flatMap { entry in
            let folder = try Self.folder(of: try entry.text("/plugin"))
            let manifest = try Manifest(json: Data(contentsOf: URL(filePath: "\(folder)/plugin.json")))
            let contracts = try Data(contentsOf: URL(filePath: "\(folder)/Entry/contracts.binpb"))
            let catalog = try ContractCatalog(descriptorSets: [[UInt8](contracts)], comments: false)
            let instance = try entry.text("/instance")
            return manifest.routes.map { Declared(instance: instance, route: $0, catalog: catalog) }
        }
    }

    @Test func everyRouteStandsInItWithAllThatItsManifestSays() async throws {
        let server = try await ServerProcess.start(Sources.defaultDeployment)
        let document = try await server.client.expect(200, .GET, "/openapi.json")
        #expect(OpenAPIFault.all(of: document) == [])
        let routes = try Self.declared(by: server)
        #expect(routes.count > 40)
        for declared in routes {
            let path = declared.route.path.replacing("~", with: "~0").replacing("/", with: "~1")
            let method = declared.route.method.lowercased()
            guard let operation = document.value(at: "/paths/\(path)/\(method)") else {
                Issue.record("\(declared.place) is not described")
                continue
            }
            rules(declared, operation)
            parameters(declared, operation)
            body(declared, operation, document)
            responses(declared, operation, document)
        }
        // And nothing else does.
        let described = (document["paths"]?.object ?? [:]).flatMap { path, methods in
            (methods.object ?? [:]).keys.map { "\($0.uppercased()) \(path)" }
        }
        #expect(described.sorted() == routes.map(\.place).sorted())
        let ids = (document["paths"]?.object ?? [:]).values.flatMap { ($0.object ?? [:]).values }
            .compactMap { $0["operationId"]?.string }
        #expect(ids.count == routes.count && Set(ids).count == ids.count)
        let scheme = document.value(at: "/components/securitySchemes/bearer")
        #expect(scheme?["type"]?.string == "http" && scheme?["scheme"]?.string == "bearer")
        try await server.stop()
    }

    /// Who may call it, and what the host does around it.
    private func rules(_ declared: Declared, _ operation: JSONValue) {
        let route = declared.route
        let stated = [
            "access": route.access, "resource": route.resource, "action": route.action, "scope": route.scope,
            "audit": route.audit, "rate": route.rate, "instance": declared.instance,
        ]
        for (name, value) in stated { #expect(operation["x-theatre-\(name)"]?.string == value, "\(declared.place)") }
        #expect((operation["x-theatre-role"]?.string ?? "") == route.role, "\(declared.place)")
        let open: JSONValue = .array([])
        let signedIn: JSONValue = .array([.object(["bearer": .array([])])])
        #expect(operation["security"] == (route.access == "anyone" ? open : signedIn), "\(declared.place)")
        let name = route.operation.split(separator: "/").last ?? ""
        #expect(operation["operationId"]?.string?.hasPrefix("\(declared.instance).\(name)") == true)
        #expect(operation["tags"]?.array == [.string(Manifest.owner(of: route.operation))])
    }

    /// Those of the path, the query and the header that makes a repetition harmless.
    private func parameters(_ declared: Declared, _ operation: JSONValue) {
        var expected = Dictionary(uniqueKeysWithValues: declared.parameters.map { ("path \($0)", true) })
        if !declared.takesBody, declared.route.body == "json" {
            for field in declared.fields {
                if case .message = field.type { continue }
                expected["query \(field.name)"] = field.rules.required
            }
        }
        if !declared.route.idempotent, declared.route.method != "GET" { expected["header Idempotency-Key"] = false }
        let found = (operation["parameters"]?.array ?? []).map { parameter in
            ("\(parameter["in"]?.string ?? "") \(parameter["name"]?.string ?? "")", parameter["required"]?.bool)
        }
        #expect(Dictionary(found) { first, _ in first } == expected.mapValues { $0 }, "\(declared.place)")
        for parameter in operation["parameters"]?.array ?? [] {
            let schema = parameter["schema"]
            let isTyped = schema?["type"] != nil || schema?["$ref"] != nil || schema?["allOf"] != nil
            #expect(isTyped, "\(declared.place): \(parameter["name"]?.string ?? "")")
        }
    }

    private func body(_ declared: Declared, _ operation: JSONValue, _ document: JSONValue) {
        let route = declared.route
        let body = operation["requestBody"]
        guard declared.takesBody, route.bodyLimit > 0 else {
            #expect(body == nil, "\(declared.place)")
            return
        }
        #expect(body?["x-theatre-body-limit"]?.integer == Int64(route.bodyLimit), "\(declared.place)")
        guard route.body == "json" else {
            #expect(body?.value(at: "/content/*~1*") != nil, "\(declared.place)")
            return
        }
        let schema = resolved(body?.value(at: "/content/application~1json/schema"), document)
        #expect(Set(schema?["properties"]?.object?.keys.map(\.self) ?? []) == Set(declared.fields.map(\.name)))
        let required = declared.fields.filter(\.rules.required).map(\.name)
        #expect(Set(schema?["required"]?.array?.compactMap(\.string) ?? []) == Set(required), "\(declared.place)")
        #expect(schema?["additionalProperties"]?.bool == false, "\(declared.place)")
        #expect(body?["required"]?.bool == !required.isEmpty, "\(declared.place)")
    }

    private func responses(_ declared: Declared, _ operation: JSONValue, _ document: JSONValue) {
        let route = declared.route
        let responses = operation["responses"]?.object ?? [:]
        guard route.body == "json" else {
            #expect(Set(responses.keys) == ["\(route.status)", "default"], "\(declared.place)")
            return
        }
        let isChange = route.method != "GET"
        var expected: Set = [route.status, 400, 401, 404, 414, 429, 431, 500, 501, 503, 504]
        if isChange { expected.formUnion([402, 403, 409, 422, 423]) }
        if route.access != "anyone" { expected.insert(403) }
        if isChange, route.bodyLimit > 0 { expected.formUnion([408, 413, 415]) }
        #expect(Set(responses.keys) == Set(expected.map(String.init)), "\(declared.place)")
        if route.status != 204 {
            let content = responses["\(route.status)"]?.value(at: "/content/application~1json/schema")
            let schema = resolved(content, document)
            let fields = Set((declared.catalog.message(route.response)?.fields ?? []).map(\.name))
            #expect(Set(schema?["properties"]?.object?.keys.map(\.self) ?? []) == fields, "\(declared.place)")
            #expect(Set(schema?["required"]?.array?.compactMap(\.string) ?? []) == fields, "\(declared.place)")
        }
        for status in expected where status != route.status {
            let response = resolved(responses["\(status)"], document)
            #expect(response?.value(at: "/headers/X-Request-Id/required") == .bool(true), "\(declared.place) \(status)")
            error(response, document, declared.place)
        }
    }

    private func error(_ response: JSONValue?, _ document: JSONValue, _ place: String) {
        let error = resolved(response?.value(at: "/content/application~1json/schema"), document)
        let members: Set = [
            "error_code", "message", "retryable", "owner_module", "trace_id", "correlation_id", "details",
        ]
        #expect(Set(error?["required"]?.array?.compactMap(\.string) ?? []) == members, "\(place)")
        #expect(Set(error?["properties"]?.object?.keys.map(\.self) ?? []) == members, "\(place)")
    }

    /// A schema, or what it refers to.
    private func resolved(_ schema: JSONValue?, _ document: JSONValue) -> JSONValue? {
        guard let reference = schema?["$ref"]?.string else { return schema }
        return document.value(at: String(reference.dropFirst()))
    }

    /// What the description says of errors is what is answered.
    @Test func anErrorHasTheMembersOfItsDescription() async throws {
        let server = try await ServerProcess.start(Sources.defaultDeployment)
        let document = try await server.client.expect(200, .GET, "/openapi.json")
        let error = try #require(document.value(at: "/components/schemas/Error"))
        let answers = [
            try await server.client.get("/api/v1/me"), try await server.client.get("/api/v1/nothing"),
            try await server.client.post("/api/v1/auth/login", .object(["email": .integer(7)])),
        ]
        for answer in answers {
            let members = Set(try answer.json.object?.keys.map(\.self) ?? [])
            #expect(members == Set(error["properties"]?.object?.keys.map(\.self) ?? []), "\(answer.text)")
            let details = Set(try answer.json["details"]?.object?.keys.map(\.self) ?? [])
            let described = Set(error.value(at: "/properties/details/properties")?.object?.keys.map(\.self) ?? [])
            let required = error.value(at: "/properties/details/required")?.array?.compactMap(\.string) ?? []
            #expect(details.isSubset(of: described) && details.isSuperset(of: required), "\(answer.text)")
        }
        try await server.stop()
    }
}
