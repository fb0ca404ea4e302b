// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import Testing
import TheatreManifest

/// Fragments of SQL in every text that a route takes, by what the API description says it takes.
struct FragmentsOfSQL {
    private static let fragments = [
        "' OR '1'='1", "'; DROP TABLE accounts__accounts; --", "x') UNION SELECT password, 1 FROM sqlite_master --",
        "%' ESCAPE '\\", ":tenant", "\\'; SELECT pg_sleep(9); --",
    ]

    private let attacked: AttackedServer

    init(_ attacked: AttackedServer) { self.attacked = attacked }

    /// No 500, nothing leaked, and all that somebody else has is as it was.
    func sendEverywhere(beside neighbour: Account) async throws {
        let before = try await belongings(of: neighbour)
        let attacker = try await Account.new(on: attacked.server)
        var client = attacker.client
        client.token = try attacked.lasting(
            attacker.client.token, ["roles": .array([.string("admin"), .string("user")])])
        let document = try await client.expect(200, .GET, "/openapi.json")
        var sent = 0
        for (path, methods) in document["paths"]?.object ?? [:] where !path.hasPrefix("/api/v1/admin/plugins/") {
            for (method, operation) in methods.object ?? [:] {
                for fragment in Self.fragments {
                    sent += try await send(
                        fragment, to: HTTPMethod(rawValue: method.uppercased()), path, operation, document, client)
                }
            }
        }
        #expect(sent > 500, "\(sent)")
        #expect(try await belongings(of: neighbour) == before)
    }

    private func belongings(of person: Account) async throws -> [String] {
        var texts: [String] = []
        for path in [
            "/api/v1/me", "/api/v1/me/wallet", "/api/v1/projects", "/api/v1/me/identities", "/api/v1/me/keys",
            "/api/v1/auth/sessions",
        ] { texts.append(try await person.client.get(path).text) }
        return texts
    }

    /// One request with the fragment in each text of the path and the query, and one more for each text of the body.
    private func send(
        _ fragment: String, to method: HTTPMethod, _ path: String, _ operation: JSONValue, _ document: JSONValue,
        _ client: Client
    ) async throws -> Int {
        let encoded = fragment.utf8.map { "%" + String($0, radix: 16) }.joined()
        var target = path
        var query: [String] = []
        for parameter in operation["parameters"]?.array ?? [] {
            guard let name = parameter["name"]?.string, parameter["in"]?.string != "header" else { continue }
            if parameter["in"]?.string == "path" {
                target = target.replacing("{\(name)}", with: encoded)
            } else {
                query.append("\(name)=\(encoded)")
            }
        }
        // One of the query at a time: the first that is no number would hide the others.
        let targets = query.isEmpty ? [target] : query.map { "\(target)?\($0)" }
        let bodies = bodies(with: fragment, of: operation, document)
        var sent = 0
        for target in targets {
            for body in bodies {
                let answer = try await client.send(
                    method, target, body, headers: [("Idempotency-Key", fragment), ("X-Request-Id", fragment)])
                #expect(answer.status < 500, "\(method) \(target) \(body ?? .null): \(answer.text)")
                let all = answer.text + answer.headers.map(\.value).joined(separator: "\n")
                #expect(Inside.leaks(all, sent: fragment) == [], "\(method) \(target): \(answer.text)")
                sent += 1
            }
        }
        return sent
    }

    private func bodies(with fragment: String, of operation: JSONValue, _ document: JSONValue) -> [JSONValue?] {
        guard let content = operation.value(at: "/requestBody/content") else { return [nil] }
        let schema = resolved(content.value(at: "/application~1json/schema"), document)
        guard let properties = schema?["properties"]?.object else { return [.string(fragment)] }
        let required = Set(schema?["required"]?.array?.compactMap(\.string) ?? [])
        let texts = properties.keys.filter { takesText(properties[$0], document) }
        let plain = properties.filter { required.contains($0.key) }.mapValues { sample($0, document) }
        return texts.isEmpty
            ? [.object(plain)] : texts.map { .object(plain.merging([$0: .string(fragment)]) { $1 }) }
    }

    private func takesText(_ schema: JSONValue?, _ document: JSONValue) -> Bool {
        let schema = resolved(schema, document)
        let types = [schema?["type"]?.string].compactMap(\.self) + (schema?["type"]?.array ?? []).compactMap(\.string)
        return types.contains("string") || (schema?["anyOf"]?.array ?? []).contains { takesText($0, document) }
            || (schema?["allOf"]?.array ?? []).contains { takesText($0, document) }
    }

    /// Something that the schema takes.
    private func sample(_ schema: JSONValue, _ document: JSONValue) -> JSONValue {
        let schema = resolved(schema, document) ?? .null
        if let inner = schema["allOf"]?.array?.first { return sample(inner, document) }
        if let value = schema["enum"]?.array?.last { return value }
        switch schema["type"]?.string {
        case "integer": return .integer(max(1, schema["minimum"]?.integer ?? 1))
        case "boolean": return .bool(true)
        case "array": return .array([sample(schema["items"] ?? .null, document)])
        case "object":
            let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
            return .object(
                (schema["properties"]?.object ?? [:]).filter { required.contains($0.key) }
                    .mapValues { sample($0, document) })
        default: return .string(String(repeating: "a", count: Int(max(10, schema["minLength"]?.integer ?? 0))))
        }
    }

    private func resolved(_ schema: JSONValue?, _ document: JSONValue) -> JSONValue? {
        guard let reference = schema?["$ref"]?.string else { return schema }
        return document.value(at: String(reference.dropFirst()))
    }
}
