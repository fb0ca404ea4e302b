// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// A route with the plugin that serves it.
public struct OpenAPIRoute: Sendable, Hashable {
    /// As its manifest states it.
    public let route: Manifest.Route
    /// Instance that serves it.
    public let instance: String

    /// A route of an instance.
    public init(_ route: Manifest.Route, instance: String) {
        self.route = route
        self.instance = instance
    }
}

/// The OpenAPI 3.1 description of a deployment. The same routes and contracts give the same document.
public struct OpenAPIDocument: Sendable {
    /// The document.
    public let value: JSONValue

    /// Describes routes by their contracts. A route whose message the catalog lacks is described without its schema.
    ///
    /// - Parameters:
    ///   - serverURL: Where clients reach the deployment; empty leaves `servers` out.
    ///   - title, version: For `info`.
    public init(
        routes: [OpenAPIRoute], catalog: ContractCatalog, title: String = "TheatreOS", version: String,
        serverURL: String = ""
    ) {
        var schemas = SchemaWriter(catalog: catalog)
        var paths: [String: [String: JSONValue]] = [:]
        let sorted = routes.sorted {
            ($0.route.path, $0.route.method, $0.instance) < ($1.route.path, $1.route.method, $1.instance)
        }
        var ids: [String: Int] = [:]
        for entry in sorted {
            var operation = OperationWriter(entry: entry, catalog: catalog)
            let id = operation.identifier
            ids[id, default: 0] += 1
            let count = ids[id] ?? 1
            paths[entry.route.path, default: [:]][entry.route.method.lowercased()] = operation.write(
                id: count == 1 ? id : "\(id)_\(count)", &schemas)
        }
        let responses = ErrorAnswers.components(error: schemas.error)
        var document: [String: JSONValue] = [
            "openapi": .string("3.1.0"),
            "info": .object(["title": .string(title), "version": .string(version)]),
            "paths": .object(paths.mapValues(JSONValue.object)),
            "components": .object([
                "schemas": .object(schemas.finished), "responses": .object(responses),
                "securitySchemes": .object([
                    "bearer": .object([
                        "type": .string("http"), "scheme": .string("bearer"), "bearerFormat": .string("JWT"),
                    ])
                ]),
            ]),
        ]
        let tags = Set(sorted.map { Manifest.owner(of: $0.route.operation) }).sorted()
        document["tags"] = .array(
            tags.map { tag in
                let comment = catalog.service(tag)?.comment ?? ""
                return .object(["name": .string(tag)].merging(SchemaWriter.described(comment)) { first, _ in first })
            })
        if !serverURL.isEmpty { document["servers"] = .array([.object(["url": .string(serverURL)])]) }
        value = .object(document)
    }
}
