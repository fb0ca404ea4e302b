// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreManifest

/// Describes one route.
struct OperationWriter {
    let entry: OpenAPIRoute
    let catalog: ContractCatalog
    private var route: Manifest.Route { entry.route }

    init(entry: OpenAPIRoute, catalog: ContractCatalog) {
        self.entry = entry
        self.catalog = catalog
    }

    /// `orders.CreateOrder`: instance and operation, by which clients name their functions.
    var identifier: String { "\(entry.instance).\(route.operation.split(separator: "/").last ?? "")" }

    /// Names in braces, in order.
    var pathParameters: [String] {
        route.path.split(separator: "{").dropFirst().compactMap { $0.split(separator: "}").first.map(String.init) }
    }

    private var hasBody: Bool { !["GET", "DELETE"].contains(route.method) }

    mutating func write(id: String, _ schemas: inout SchemaWriter) -> JSONValue {
        let description = catalog.operation(route.operation)
        let comment = description?.comment ?? ""
        var result: [String: JSONValue] = [
            "operationId": .string(id), "tags": .array([.string(Manifest.owner(of: route.operation))]),
            "summary": .string(route.summary.isEmpty ? summary(of: comment) : route.summary),
            "responses": responses(&schemas), "x-theatre-resource": .string(route.resource),
            "x-theatre-action": .string(route.action), "x-theatre-scope": .string(route.scope),
            "x-theatre-audit": .string(route.audit), "x-theatre-rate": .string(route.rate),
            "x-theatre-access": .string(route.access), "x-theatre-instance": .string(entry.instance),
            "security": .array(route.access == "anyone" ? [] : [.object(["bearer": .array([])])]),
        ]
        if !route.role.isEmpty { result["x-theatre-role"] = .string(route.role) }
        if !comment.isEmpty { result["description"] = .string(comment) }
        let parameters = parameters(&schemas)
        if !parameters.isEmpty { result["parameters"] = .array(parameters) }
        if hasBody, route.bodyLimit > 0 { result["requestBody"] = requestBody(&schemas) }
        return .object(result)
    }

    /// The first sentence of a comment, or the operation's name as words: `Create order`.
    private func summary(of comment: String) -> String {
        let text = comment.split(separator: "\n").joined(separator: " ")
        var end = text.startIndex
        while let stop = text[end...].firstIndex(of: ".") {
            let after = text.index(after: stop)
            if after == text.endIndex || text[after] == " " { return String(text[..<stop]) }
            end = after
        }
        if !text.isEmpty { return text }
        let name = route.operation.split(separator: "/").last ?? ""
        let words = name.enumerated().map {
            $0.offset > 0 && $0.element.isUppercase ? " \($0.element)" : "\($0.element)"
        }
        let sentence = words.joined().lowercased()
        return sentence.prefix(1).uppercased() + sentence.dropFirst()
    }

    private func parameters(_ schemas: inout SchemaWriter) -> [JSONValue] {
        let fields = route.body == "json" ? catalog.message(route.request)?.fields ?? [] : []
        var result = pathParameters.map { name -> JSONValue in
            let field = fields.first { $0.name == name }
            return Self.parameter(name, "path", true, field, &schemas)
        }
        if !hasBody {
            for field in fields where !pathParameters.contains(field.name) && SchemaWriter.isScalar(field.type) {
                result.append(Self.parameter(field.name, "query", field.rules.required, field, &schemas))
            }
        }
        if !route.idempotent, route.method != "GET" {
            result.append(
                .object([
                    "name": .string("Idempotency-Key"), "in": .string("header"), "required": .bool(false),
                    "description": .string("Sending the request again with the same key gives the same answer once."),
                    "schema": .object([
                        "type": .string("string"), "minLength": .integer(1), "maxLength": .integer(200),
                        "pattern": .string("^[!-~]([ -~]*[!-~])?$"),
                    ]),
                ]))
        }
        return result
    }

    private static func parameter(
        _ name: String, _ place: String, _ required: Bool, _ field: FieldDescription?, _ schemas: inout SchemaWriter
    ) -> JSONValue {
        var schema = field.map { schemas.schema(of: $0, in: .parameter) } ?? ["type": .string("string")]
        let comment = schema.removeValue(forKey: "description")
        var result: [String: JSONValue] = [
            "name": .string(name), "in": .string(place), "required": .bool(required), "schema": .object(schema),
        ]
        result["description"] = comment
        return .object(result)
    }

    private func requestBody(_ schemas: inout SchemaWriter) -> JSONValue {
        let required = catalog.message(route.request)?.fields.contains {
            $0.rules.required && !pathParameters.contains($0.name)
        }
        let isJSON = route.body == "json"
        var media: [String: JSONValue] = [:]
        if isJSON, let schema = schemas.body(route.request, without: pathParameters) { media["schema"] = schema }
        return .object([
            "required": .bool(isJSON && required == true), "description": .string("At most \(route.bodyLimit) bytes."),
            "x-theatre-body-limit": .integer(Int64(route.bodyLimit)),
            "content": .object([isJSON ? "application/json" : "*/*": .object(media)]),
        ])
    }

    private func responses(_ schemas: inout SchemaWriter) -> JSONValue {
        let requestID = Self.requestID
        var success: [String: JSONValue] = [
            "description": .string("Success."), "headers": .object([requestID.name: requestID.field]),
        ]
        guard route.body == "json" else {
            // The plugin writes its answers itself, those to errors too.
            let own: JSONValue = .object([
                "description": .string("The plugin's own answer, or an error as Error describes it."),
                "headers": .object([requestID.name: requestID.field]), "content": .object(["*/*": .object([:])]),
            ])
            return .object(["\(route.status)": .object(success), "default": own])
        }
        if route.status != 204 {
            let schema = schemas.reference(route.response, isAnswer: true)
            success["content"] = .object(["application/json": .object(schema.map { ["schema": $0] } ?? [:])])
        }
        var result = ["\(route.status)": JSONValue.object(success)]
        for status in ErrorAnswers.statuses(of: route) { result["\(status)"] = ErrorAnswers.reference(status) }
        return .object(result)
    }

    /// The header field of every answer.
    static let requestID: (name: String, field: JSONValue) = (
        "X-Request-Id", field("Id of the request, as in the log.", isRequired: true)
    )

    /// A header field of an answer.
    static func field(_ description: String = "", isRequired: Bool = false) -> JSONValue {
        let field: [String: JSONValue] = [
            "required": .bool(isRequired), "schema": .object(["type": .string("string")]),
        ]
        return .object(field.merging(SchemaWriter.described(description)) { first, _ in first })
    }
}
