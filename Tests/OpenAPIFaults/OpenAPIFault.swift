// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// What an OpenAPI 3.1 document must have, as far as this host writes it.
public enum OpenAPIFault {
    private static let methods: Set<String> = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
    private static let rootKeys: Set<String> = ["openapi", "info", "paths", "components", "tags", "servers"]
    private static let operationKeys: Set<String> = [
        "operationId", "tags", "summary", "description", "parameters", "requestBody", "responses", "security",
    ]
    private static let schemaKeys: Set<String> = [
        "$ref", "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "anyOf",
        "allOf",
        "enum", "format", "contentEncoding", "minLength", "maxLength", "pattern", "minimum", "maximum", "description",
    ]

    /// Everything that is wrong with a document.
    public static func all(of document: JSONValue) -> [String] {
        var faults: [String] = []
        for pointer in ["/openapi", "/info/title", "/info/version"] where document.value(at: pointer)?.string == nil {
            faults.append("\(pointer) is missing")
        }
        if document["openapi"]?.string?.hasPrefix("3.1.") != true { faults.append("not 3.1") }
        for reference in references(document) where document.value(at: String(reference.dropFirst())) == nil {
            faults.append("\(reference) leads nowhere")
        }
        var ids: Set<String> = []
        for (path, item) in document["paths"]?.object ?? [:] {
            if !path.hasPrefix("/") { faults.append("\(path) does not begin with /") }
            for (method, operation) in item.object ?? [:] {
                let place = "\(method) \(path)"
                if !methods.contains(method) { faults.append("\(place): no such method") }
                if let id = operation["operationId"]?.string, !ids.insert(id).inserted { faults.append("\(id) twice") }
                faults += self.operation(operation, path, in: document).map { "\(place): \($0)" }
            }
        }
        for (name, schema) in document.value(at: "/components/schemas")?.object ?? [:] {
            faults += self.schema(schema).map { "\(name): \($0)" }
        }
        for key in document.object?.keys.map(\.self) ?? [] where !rootKeys.contains(key) { faults.append("\(key)?") }
        let tags = (document["tags"]?.array ?? []).compactMap { $0["name"]?.string }
        if Set(tags).count != tags.count { faults.append("a tag stands there twice") }
        return faults
    }

    private static func operation(_ operation: JSONValue, _ path: String, in document: JSONValue) -> [String] {
        var faults: [String] = []
        for key in operation.object?.keys.map(\.self) ?? []
        where !operationKeys.contains(key) && !key.hasPrefix("x-") { faults.append("\(key)?") }
        if operation["operationId"]?.string?.isEmpty != false { faults.append("operationId is missing") }
        if operation["summary"]?.string?.isEmpty != false { faults.append("summary is missing") }
        let responses = operation["responses"]?.object ?? [:]
        if responses.isEmpty { faults.append("responses are missing") }
        for (status, written) in responses {
            let response = written["$ref"]?.string.flatMap { document.value(at: String($0.dropFirst())) } ?? written
            if status != "default", Int(status).map({ (100..<600).contains($0) }) != true {
                faults.append("\(status)?")
            }
            if response["description"]?.string?.isEmpty != false { faults.append("\(status): description is missing") }
            faults += media(response["content"]).map { "\(status): \($0)" }
        }
        guard let security = operation["security"]?.array else { return faults + ["security is missing"] }
        for scheme in security.flatMap({ $0.object?.keys.map(\.self) ?? [] })
        where document.value(at: "/components/securitySchemes/\(scheme)/type")?.string == nil {
            faults.append("the security scheme \(scheme) is missing")
        }
        let parameters = operation["parameters"]?.array ?? []
        let names = parameters.map { "\($0["in"]?.string ?? "") \($0["name"]?.string ?? "")" }
        if Set(names).count != names.count { faults.append("a parameter stands there twice") }
        for parameter in parameters {
            let name = parameter["name"]?.string ?? ""
            if name.isEmpty || parameter["schema"] == nil { faults.append("a parameter without name or schema") }
            let place = parameter["in"]?.string ?? ""
            faults += schema(parameter["schema"] ?? .null).map { "\(name): \($0)" }
            if !["path", "query", "header"].contains(place) { faults.append("\(name) is in \(place)") }
            if place == "path", parameter["required"] != .bool(true) { faults.append("\(name) is not required") }
            if place == "path", !path.contains("{\(name)}") { faults.append("\(name) is not in the path") }
        }
        for part in path.split(separator: "{").dropFirst() {
            let name = part.prefix { $0 != "}" }
            let isThere = parameters.contains { $0["in"]?.string == "path" && $0["name"]?.string == String(name) }
            if !isThere { faults.append("{\(name)} is no parameter") }
        }
        if let body = operation["requestBody"] {
            if body["content"]?.object?.isEmpty != false { faults.append("empty body") }
            faults += media(body["content"]).map { "body: \($0)" }
        }
        return faults
    }

    /// What is wrong with the schemas of a body, by its types of content.
    private static func media(_ content: JSONValue?) -> [String] {
        (content?.object ?? [:]).flatMap { type, media in
            (type.contains("/") ? [] : ["\(type) is no type of content"]) + schema(media["schema"] ?? .null)
        }
    }

    private static func schema(_ schema: JSONValue) -> [String] {
        guard let members = schema.object else { return [] }
        var faults = members.keys.filter { !schemaKeys.contains($0) }.map { "\($0) is no keyword" }
        let properties = members["properties"]?.object ?? [:]
        for name in members["required"]?.array?.compactMap(\.string) ?? [] where properties[name] == nil {
            faults.append("\(name) is required and not described")
        }
        let parts = (members["anyOf"]?.array ?? []) + (members["allOf"]?.array ?? [])
        let inner = [members["items"], members["additionalProperties"]].compactMap(\.self)
        for part in parts + inner + properties.values { faults += self.schema(part) }
        return faults
    }

    private static func references(_ value: JSONValue) -> [String] {
        switch value {
        case .array(let elements): elements.flatMap(references)
        case .object(let members): (members["$ref"]?.string.map { [$0] } ?? []) + members.values.flatMap(references)
        default: []
        }
    }
}

extension JSONValue {
    /// A copy that lacks what a JSON Pointer into objects names.
    public func without(_ pointer: Substring) -> JSONValue {
        guard case .object(var members) = self else { return self }
        let rest = pointer.dropFirst()
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        let name = rest[..<end].replacing("~1", with: "/")
        guard end < rest.endIndex, let inner = members[String(name)] else {
            members[String(name)] = nil
            return .object(members)
        }
        members[String(name)] = inner.without(rest[end...])
        return .object(members)
    }
}
